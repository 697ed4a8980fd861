//! Errors: their frames, their times, their ids, and their pages.

use jiff::{SignedDuration, Timestamp};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::{Map, Value, json};

use crate::database::Database;
use crate::pages::text;
use crate::running::Running;

/// Returns a body that an agent sends, or is made like one.
fn case(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/cases/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Posts bodies of `errors/` with headers of an agent, and waits until they are stored.
async fn accept_from(running: &Running, headers: &[(&'static str, &'static str)], bodies: &[Value]) {
    for body in bodies {
        let mut request = running.client.post(running.intake("errors")).bearer_auth(&running.app.secret_token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.to_string()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{body}");
    }
    running.drained().await;
}

async fn accept(running: &Running, bodies: &[Value]) {
    accept_from(running, &[], bodies).await;
}

/// Returns the only error group.
async fn only(running: &Running) -> Value {
    assert_eq!(running.ask("errors/").await["total"], 1);
    running.ask("errors/1/").await
}

fn frames(error: &Value) -> Vec<(&str, bool)> {
    let frames = error["occurrence"]["report"]["stacktrace"]["frames"].as_array().unwrap();
    frames.iter().map(|f| (f["function"].as_str().unwrap_or("?"), f["in_app"].as_bool().unwrap())).collect()
}

fn ago(seconds: i64) -> String {
    (Timestamp::now() - SignedDuration::from_secs(seconds)).to_string()
}

const PYTHON_3_0: [(&str, &str); 1] = [("user-agent", "opbeat-python/3.0")];
const NODE: [(&str, &str); 1] = [("user-agent", "opbeat-nodejs/4.17.0 opbeat-http-client/1.2.2")];

#[tokio::test]
async fn messages_of_the_python_agent_are_turned_round() {
    for headers in [&PYTHON_3_0[..], &[("x-opbeat-platform", "lang=python/3.11.7 platform=CPython")], &[]] {
        let running = Running::start().await;
        accept_from(&running, headers, &[case("agent-python-message-stack-order")]).await;
        let error = only(&running).await;
        let expected = [("<module>", true), ("wrap", true), ("outer", true), ("stackmsg", true)];
        assert_eq!(frames(&error), expected, "{headers:?}");
        assert_eq!(error["culprit"], "__main__.stackmsg", "{headers:?}");
    }
}

#[tokio::test]
async fn messages_of_the_node_agent_keep_their_order() {
    let running = Running::start().await;
    accept_from(&running, &NODE, &[case("node-logger-message"), case("agent-node-logger-reversed")]).await;
    assert_eq!(frames(&running.ask("errors/1/").await), [("outer", true), ("inner", true)]);
    let error = running.ask("errors/2/").await;
    let frames = frames(&error);
    assert_eq!((frames[0], frames[frames.len() - 4]), (("<anonymous>", false), ("inner", true)), "{frames:?}");
    assert!(text(&running.page("/acme/shop/errors/2/").await).contains("Logger billing"));
}

#[tokio::test]
async fn libraries_of_all_languages_are_recognised_by_their_paths() {
    let libraries = [
        "node:internal/timers",
        "internal/modules/cjs/loader.js",
        "timers.js",
        "_http_server.js",
        "events.js",
        "/srv/app/node_modules/express/lib/router/index.js",
        "node_modules/express/index.js",
        "/usr/lib/ruby/2.3.0/json/common.rb",
        "<internal:kernel>",
        "/home/a/.rbenv/versions/2.3.1/lib/ruby/2.3.0/set.rb",
        "/home/a/.rvm/gems/ruby-2.3.1/gems/rack-1.6/lib/rack.rb",
        "/usr/local/go/src/net/http/server.go",
        "/home/a/go/pkg/mod/github.com/gin-gonic/gin@v1.9.1/gin.go",
        "/usr/lib/python3.8/json/decoder.py",
        "/home/a/.pyenv/versions/3.8.1/lib/python3.8/json/decoder.py",
        "C:\\Python27\\Lib\\json\\decoder.py",
        "C:\\Users\\a\\AppData\\Local\\Programs\\Python\\Python38-32\\lib\\json\\decoder.py",
        "C:\\app\\venv\\Lib\\site-packages\\flask\\app.py",
        "<frozen importlib._bootstrap>",
        "/rustc/90b35a623/library/core/src/panicking.rs",
        "/home/a/.cargo/registry/src/index/tokio-1.0/src/task.rs",
        "library/std/src/panicking.rs",
    ];
    let own = [
        "/srv/app/index.js",
        "/srv/app/lib/internal/timers.js",
        "/srv/app/app/models/cart.rb",
        "/srv/app/main.go",
        "/srv/python3/app.py",
        "C:\\app\\lib\\cart.py",
        "/srv/app/src/main.rs",
        "(inline script)",
        "/srv/app/events.js",
    ];
    let frame = |path: &&str| json!({"filename": path, "abs_path": path, "lineno": 1, "function": path});
    let all: Vec<Value> = libraries.iter().chain(&own).map(frame).collect();
    let running = Running::start().await;
    accept(&running, &[json!({"exception": {"type": "E", "value": "x"}, "stacktrace": {"frames": all}})]).await;
    let error = only(&running).await;
    for (path, in_app) in frames(&error) {
        assert_eq!(in_app, own.contains(&path), "{path}");
    }
}

#[tokio::test]
async fn a_frame_of_nodes_library_is_not_the_applications_even_if_the_agent_says_so() {
    let frame = |path: &str| json!({"filename": path, "function": path, "in_app": true});
    let body = json!({"exception": {"type": "E"}, "stacktrace": {"frames": [frame("app.js"), frame("timers.js")]}});
    let running = Running::start().await;
    accept_from(&running, &NODE, std::slice::from_ref(&body)).await;
    assert_eq!(frames(&only(&running).await), [("app.js", true), ("timers.js", false)]);
    let running = Running::start().await;
    accept_from(&running, &[("user-agent", "Mozilla/5.0")], &[body]).await;
    assert_eq!(frames(&only(&running).await), [("app.js", true), ("timers.js", true)], "browsers decide themselves");
}

#[tokio::test]
async fn a_converted_error_is_attributed_to_its_handler() {
    let body = |route: &str, functions: &[&str]| {
        let frame = |name: &&str| json!({"filename": "src/main.rs", "function": name, "in_app": true, "lineno": 3});
        let frames: Vec<Value> = functions.iter().map(frame).collect();
        json!({
            "exception": {"type": "shop::Error", "value": "x"},
            "culprit": functions.last(),
            "stacktrace": {"frames": frames},
            "transaction": {"name": route},
        })
    };
    let response = "<shop::Error as axum_core::response::IntoResponse>::into_response";
    let from = "shop::error::<impl core::convert::From<sqlx::Error> for shop::Error>::from";
    let running = Running::start().await;
    let bodies = [
        body("GET /books/{id}", &["shop::main", response]),
        body("GET /cart", &["shop::main", response]),
        body("GET /cart", &["shop::main", "shop::cart::load", from]),
        body("GET /cart", &["shop::main", "<shop::Error as actix_web::ResponseError>::error_response"]),
        body("GET /cart", &["shop::main", "shop::cart::load"]),
    ];
    accept(&running, &bodies).await;
    let list = running.ask("errors/?order=times_seen").await;
    let groups: Vec<_> = list["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["culprit"].as_str().unwrap(), e["times_seen"].as_i64().unwrap()))
        .collect();
    assert_eq!(groups[0], ("GET /cart", 3));
    assert!(groups.contains(&("GET /books/{id}", 1)) && groups.contains(&("shop::cart::load", 1)), "{groups:?}");
    assert_eq!(running.ask("errors/1/").await["grouping"]["rule"], "handler");
}

#[tokio::test]
async fn a_page_says_why_occurrences_belong_together() {
    let running = Running::start().await;
    accept(&running, &[case("ruby-error"), case("msg-s3")]).await;
    let grouping = running.ask("errors/1/").await["grouping"].clone();
    assert_eq!((&grouping["version"], &grouping["rule"]), (&json!(2), &json!("own_frames")));
    assert_eq!(grouping["parts"], json!(["ZeroDivisionError", "app.rb:show"]));
    let page = text(&running.page("/acme/shop/errors/1/").await);
    let sentence = "Grouped by type and the application&#39;s functions on the stack. ZeroDivisionError app.rb:show";
    assert!(page.contains(sentence) || page.contains(&sentence.replace("&#39;", "'")), "{page}");
    assert_eq!(running.ask("errors/2/").await["grouping"]["parts"], json!(["S3 unreachable"]));
}

#[tokio::test]
async fn a_template_without_parameters_is_a_text_and_digits_in_words_stay() {
    let running = Running::start().await;
    let bodies =
        [case("msg-template-without-params"), json!({"message": "order 18 failed"}), case("msg-s3"), case("msg-k8")];
    accept(&running, &bodies).await;
    let list = running.ask("errors/?order=times_seen").await;
    let groups: Vec<_> = list["errors"].as_array().unwrap().iter().map(|error| error["times_seen"].clone()).collect();
    assert_eq!(groups, [2, 1, 1], "{list}");
    let error = running.ask("errors/1/").await;
    let oldest = &error["occurrences"].as_array().unwrap().last().unwrap()["id"];
    let page = text(&running.page(&format!("/acme/shop/errors/1/?occurrence={oldest}")).await);
    assert!(!page.contains("Message template"), "it equals the text: {page}");
}

#[tokio::test]
async fn all_fields_of_an_error_are_shown() {
    let running = Running::start().await;
    let mut django = case("django-template");
    django["template"]["context_line"] = json!("&lt;p&gt;{{ book.title|add:&quot;a&quot; }} &amp;amp;&lt;/p&gt;\n");
    let mut logged = case("err-param-message-mapping");
    logged["logger"] = json!("shop.cart");
    logged["level"] = json!("warning");
    logged["machine"] = json!({"hostname": "web-1"});
    logged["environment"] = json!("staging");
    let line = json!({"level": "info", "before": 0.25, "target": "shop::stock", "message": "sold token=s3cr3tvalue"});
    logged["extra"] = json!({"cart": 7, "_internal": "hidden", "log_lines": [line, "odd"]});
    accept(&running, &[django, case("query"), logged, case("url-query-twice"), case("err-param-message-other")]).await;
    let page = async |number: u32| text(&running.page(&format!("/acme/shop/errors/{number}/")).await);

    let template = page(1).await;
    let source = "6 a 7 &lt;p&gt;{{ book.title|add:&quot;a&quot; }} &amp;amp;&lt;/p&gt; 8 b";
    assert!(template.contains(&format!("Template shop/cart.html /srv/t/shop/cart.html:7 {source}")), "{template}");
    assert_eq!(running.ask("errors/1/").await["occurrence"]["report"]["template"]["lineno"], 7);

    assert!(page(2).await.contains("Query postgresql SELECT 1 FROM t WHERE long"), "{}", page(2).await);
    assert_eq!(running.ask("errors/2/").await["occurrence"]["report"]["query"]["engine"], "postgresql");

    let message = page(3).await;
    for part in [
        "Message template a %(x)s x 1",
        "Level warning",
        "Logger shop.cart",
        "Machine web-1",
        "Environment staging",
        "cart 7",
        "Log before the error −0.250 s info shop::stock sold token=[REDACTED]",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("hidden") && !message.contains("log_lines"), "{message}");
    assert!(message.contains("E#3 a 1 warning"), "{message}");

    assert!(page(4).await.contains("GET http://h/p?a=1") && !page(4).await.contains("a=1?a=1"), "{}", page(4).await);
    assert!(page(5).await.contains("Message template 1 x"), "{}", page(5).await);
}

#[tokio::test]
async fn templates_and_queries_show_no_secrets() {
    let running = Running::start().await;
    let line = "<input name='user' data-password=\"hunter2\">";
    let body = json!({
        "message": "a query",
        "template": {"filename": "a.html", "lineno": 2, "pre_context": ["password = 'hunter2'"], "context_line": line},
        "query": {"query": "GET /?password=hunter2", "engine": "password=hunter2"},
        "environment": "password=hunter2",
    });
    accept(&running, &[body]).await;
    let report = only(&running).await["occurrence"]["report"].to_string();
    assert!(!report.contains("hunter2") && report.contains("GET /?password="), "{report}");
}

#[tokio::test]
async fn an_error_is_found_by_its_id() {
    let running = Running::start().await;
    running.server.create_app("acme", "other").await.unwrap();
    let id = "79f29f9ff9ef4d6b9404c5662998177c";
    let uuid = "ad9dac41-5d18-4ac1-a2fa-a52a9edabc3f";
    let bodies = [
        case("agent-python-message-stack-order"),
        case("agent-node-logger-reversed"),
        json!({"message": "odd id", "client_supplied_id": "a/b c?%"}),
        json!({"message": "no id"}),
    ];
    accept(&running, &bodies).await;
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let get = async |path: &str| {
        let request = client.get(format!("{}{path}", running.server.url())).header("cookie", &running.cookie);
        request.send().await.unwrap()
    };
    for (id, number) in [(id, 1), (uuid, 2), ("a%2Fb%20c%3F%25", 3)] {
        let path = format!("errors/by-id/{id}/");
        let found = running.ask(&path).await;
        assert_eq!(found["number"], number, "{id}");
        let target = format!("/acme/shop/errors/{number}/?occurrence={}", found["occurrence"]["id"]);
        for path in [
            format!("/acme/shop/{path}"),
            format!("/acme/shop/errors/by-id/{id}"),
            format!("/acme/shop/errors/?id={id}"),
        ] {
            let response = get(&path).await;
            assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
            assert_eq!(response.headers()["location"], target, "{path}");
        }
    }
    let upper = id.to_uppercase();
    for missing in [&upper, &id[..31], "%"] {
        assert_eq!(
            get(&format!("/acme/shop/errors/by-id/{}", missing.replace('%', "%25"))).await.status(),
            StatusCode::NOT_FOUND,
            "{missing}"
        );
    }
    assert_eq!(get(&format!("/acme/other/errors/by-id/{id}")).await.status(), StatusCode::NOT_FOUND, "of another app");
    let page = running.page("/acme/shop/errors/?id=nothing").await;
    assert!(text(&page).contains("no stored error has this id") && page.contains("value=\"nothing\""), "{page}");
    let error = running.page("/acme/shop/errors/1/").await;
    assert!(text(&error).contains(&format!("Error id {id}")));
}

#[tokio::test]
async fn the_first_and_the_newest_occurrences_are_kept() {
    let running = Running::start().await;
    let errors: Vec<Value> = (0..60)
        // Not in the order of their times.
        .map(|number| (number * 37) % 60)
        .map(|number| json!({"message": "no paper", "timestamp": ago(10_000 - number * 10), "client_supplied_id": number.to_string()}))
        .collect();
    accept(&running, &errors).await;
    let error = only(&running).await;
    assert_eq!(error["times_seen"], 60);
    let times: Vec<&str> =
        error["occurrences"].as_array().unwrap().iter().map(|o| o["happened_at"].as_str().unwrap()).collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    sorted.reverse();
    assert_eq!((times.len(), &times), (51, &sorted));
    assert_eq!(error["occurrence"]["external_id"], "59", "the newest is shown first");
    let oldest = error["occurrences"][50]["id"].clone();
    assert_eq!(running.ask(&format!("errors/1/occurrences/{oldest}/")).await["occurrence"]["external_id"], "0");
    let page = text(&running.page("/acme/shop/errors/1/").await);
    assert!(page.contains(" older") && !page.contains(" newer"), "{page}");
}

#[tokio::test]
async fn five_occurrences_of_a_second_are_kept_however_they_arrive() {
    let second = Timestamp::from_second(Timestamp::now().as_second() - 100).unwrap();
    let error = |number: i64| {
        let time = second + SignedDuration::from_millis(number * 10);
        json!({"message": "no paper", "timestamp": time.to_string(), "client_supplied_id": number.to_string()})
    };
    // Not in the order of their times.
    let errors: Vec<Value> = (0..20).map(|number| error((number * 7) % 20)).collect();
    let mut kept = Vec::new();
    for at_once in [1, 7, 20] {
        let running = Running::start().await;
        for errors in errors.chunks(at_once) {
            let posts = errors.iter().map(|error| running.post("errors", error.to_string()));
            for response in futures_util::future::join_all(posts).await {
                assert_eq!(response.status(), StatusCode::ACCEPTED);
            }
            running.drained().await;
        }
        let error = only(&running).await;
        assert_eq!(error["times_seen"], 20);
        let times = error["occurrences"].as_array().unwrap().iter().map(|occurrence| occurrence["happened_at"].clone());
        kept.push(times.collect::<Vec<_>>());
    }
    let time = |number: i64| json!((second + SignedDuration::from_millis(number * 10)).to_string());
    assert_eq!(kept, vec![[19, 18, 17, 16, 15, 0].map(time).to_vec(); 3], "the newest and the first");
}

#[tokio::test]
async fn errors_of_one_batch_are_counted_like_single_ones() {
    let running = Running::start().await;
    let error = |text: &str, count: u64| json!({"message": text, "timestamp": ago(5), "occurrences": count});
    for _ in 0..2 {
        let posts = (0..90)
            .map(|number| running.post("errors", error(["no ink", "no paper", "no book"][number % 3], 2).to_string()));
        for response in futures_util::future::join_all(posts).await {
            assert_eq!(response.status(), StatusCode::ACCEPTED);
        }
    }
    running.drained().await;
    let list = running.ask("errors/").await;
    let errors = list["errors"].as_array().unwrap();
    let mut numbers: Vec<_> = errors.iter().map(|error| error["number"].as_i64().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3], "numbers have no gaps");
    for error in errors {
        assert_eq!(error["times_seen"], 120);
        let trend: i64 = error["trend"].as_array().unwrap().iter().map(|count| count.as_i64().unwrap()).sum();
        assert_eq!(trend, 120);
    }
}

#[tokio::test]
async fn an_impossible_time_is_shown_and_counted_at_the_receipt() {
    let ahead = |seconds: i64| json!({"message": "ahead", "timestamp": ago(-seconds)});
    let mut two_days = case("err-2-days-ahead");
    two_days["timestamp"] = json!(ago(-2 * 86_400));
    let mut hours = case("err-20-hours-ahead");
    hours["timestamp"] = json!(ago(-20 * 3_600));
    let bodies = [
        case("err-2-years-old"),
        two_days,
        hours,
        ahead(300),
        ahead(900),
        json!({"message": "recent", "timestamp": ago(29 * 86_400)}),
    ];
    let running = Running::start().await;
    accept(&running, &bodies).await;
    for (number, sentence) in [(1, "more than 30 days ago"), (2, "in the future"), (3, "in the future")] {
        let error = running.ask(&format!("errors/{number}/")).await;
        let occurrence = &error["occurrence"];
        let at = |name: &str| occurrence[name].as_str().unwrap().parse::<Timestamp>().unwrap();
        assert!((Timestamp::now() - at("happened_at")).as_mins().abs() < 5, "{occurrence}");
        assert_eq!(occurrence["claimed_at"], occurrence["report"]["timestamp"]);
        assert_eq!(error["trend"].as_array().unwrap().iter().filter_map(Value::as_i64).sum::<i64>(), 1, "{error}");
        let page = text(&running.page(&format!("/acme/shop/errors/{number}/")).await);
        assert!(
            page.contains(&format!("which is {sentence}. The error is counted at the time of its receipt.")),
            "{page}"
        );
    }
    let group = running.ask("errors/4/").await;
    let occurrences = group["occurrences"].as_array().unwrap();
    assert_eq!(occurrences.len(), 2);
    let first = running.ask(&format!("errors/4/occurrences/{}/", occurrences[0]["id"])).await;
    assert_eq!(first["occurrence"]["claimed_at"], Value::Null, "five minutes ahead are a clock that is a little fast");
    assert_eq!(running.ask("errors/5/").await["occurrence"]["claimed_at"], Value::Null);
}

#[tokio::test]
async fn times_of_any_size_can_be_shown() {
    let numbers = [
        "1795000000000",
        "1795000000000000",
        "1795000000000000000",
        "-1e300",
        "1e300",
        "9223372036854775807",
        "-9223372036854775808",
        "0",
    ];
    let running = Running::start().await;
    accept(&running, &[case("07-ms-timestamp")]).await;
    for number in numbers {
        let body = format!(r#"{{"message": "in {{}}", "timestamp": {number}}}"#);
        assert_eq!(running.post("errors", body).await.status(), StatusCode::ACCEPTED, "{number}");
    }
    running.drained().await;
    let total = running.ask("errors/").await["total"].as_i64().unwrap();
    running.page("/acme/shop/errors/").await;
    for number in 1..=total {
        let error = running.ask(&format!("errors/{number}/")).await;
        for occurrence in error["occurrences"].as_array().unwrap() {
            let id = &occurrence["id"];
            let report =
                running.ask(&format!("errors/{number}/occurrences/{id}/")).await["occurrence"]["report"].clone();
            assert!(report.is_object(), "{report}");
            running.page(&format!("/acme/shop/errors/{number}/?occurrence={id}")).await;
        }
    }
}

#[tokio::test]
async fn a_damaged_report_is_left_out_of_its_page() {
    let running = Running::start().await;
    accept(&running, &[json!({"message": "no ink", "timestamp": ago(60)}), json!({"message": "no ink"})]).await;
    let error = running.ask("errors/1/").await;
    let [newest, older] = [0, 1].map(|index| error["occurrences"][index]["id"].clone());
    let database = Database::of(&running).await;
    let damage = database.bytes(&[0]);
    let damage = format!("UPDATE error_occurrences SET document = {damage} WHERE id = {newest}");
    assert_eq!(database.execute(&damage).await, 1);
    let error = running.ask("errors/1/").await;
    assert_eq!((&error["times_seen"], &error["occurrence"]["report"]), (&json!(2), &Value::Null));
    let page = text(&running.page("/acme/shop/errors/1/").await);
    assert!(page.contains("no ink") && page.contains("The stored report of this occurrence cannot be read"), "{page}");
    let older = running.ask(&format!("errors/1/occurrences/{older}/")).await;
    assert_eq!(older["occurrence"]["report"]["message"], "no ink");
}

#[tokio::test]
async fn a_group_of_an_earlier_version_is_shown() {
    let running = Running::start().await;
    accept(&running, &[json!({"message": "no ink"})]).await;
    let database = Database::of(&running).await;
    let earlier = database.bytes(&[1, 0]);
    let earlier = format!("UPDATE error_groups SET grouping = '', fingerprint = {earlier}");
    assert_eq!(database.execute(&earlier).await, 1);
    let grouping = running.ask("errors/1/").await["grouping"].clone();
    assert_eq!((&grouping["version"], &grouping["rule"]), (&json!(1), &Value::Null));
    assert!(text(&running.page("/acme/shop/errors/1/").await).contains("Grouped by the rules of an earlier version."));
    accept(&running, &[json!({"message": "no ink"})]).await;
    assert_eq!(running.ask("errors/2/").await["grouping"]["version"], 2, "a new version makes new groups");
}

#[tokio::test]
async fn values_that_the_server_changed_are_noted() {
    let running = Running::start().await;
    let body = r#"{"message": "ratio", "extra": {"ratio": NaN}, "level": 40}"#;
    assert_eq!(running.post("errors", body).await.status(), StatusCode::ACCEPTED);
    running.drained().await;
    let notes = only(&running).await["occurrence"]["notes"].clone();
    assert_eq!((&notes[0]["reason"], &notes[0]["count"]), (&json!("not_a_number"), &json!(1)), "{notes}");
    let page = text(&running.page("/acme/shop/errors/1/").await);
    assert!(page.contains("Changed on arrival NaN or an infinity"), "{page}");
}

#[tokio::test]
async fn long_texts_are_shortened_in_lists() {
    let running = Running::start().await;
    let packed =
        std::fs::read(format!("{}/tests/fixtures/cases/11-long-type.json.z", env!("CARGO_MANIFEST_DIR"))).unwrap();
    assert_eq!(running.post("errors", packed).await.status(), StatusCode::ACCEPTED);
    accept(&running, &[json!({"message": "ü".repeat(5_000)})]).await;
    let list = running.ask("errors/").await;
    for error in list["errors"].as_array().unwrap() {
        assert!(error["type_name"].as_str().unwrap().chars().count() <= 200, "{error}");
        assert!(error["message"].as_str().unwrap().chars().count() <= 300, "{error}");
    }
    assert!(running.page("/acme/shop/errors/").await.len() < 20_000);
    let title = running.page("/acme/shop/errors/1/").await;
    assert!(title.split_once("</h1>").unwrap().0.len() < 5_000);
    assert_eq!(
        running.ask("errors/2/").await["message"].as_str().unwrap().chars().count(),
        5_000,
        "a page has all of it"
    );
}

#[tokio::test]
async fn the_page_after_the_last_is_the_last() {
    let running = Running::start().await;
    let words = ["ink", "paper", "glue", "thread", "cloth", "board", "type", "press"];
    let bodies: Vec<Value> = (0..51)
        .map(|number| json!({"message": format!("no {} for {}", words[number % 8], words[number / 8])}))
        .collect();
    accept(&running, &bodies).await;
    let rows = |page: &str| page.matches("<tr>").count() - 1;
    assert_eq!(rows(&running.page("/acme/shop/errors/").await), 50);
    let last = running.page("/acme/shop/errors/?page=1").await;
    assert_eq!(rows(&last), 1);
    for beyond in ["2", "4000000000", "9223372036854775807"] {
        let page = running.page(&format!("/acme/shop/errors/?page={beyond}")).await;
        assert_eq!((rows(&page), page.contains("51 of 51 errors")), (1, true), "{beyond}");
    }
    let path = "/acme/shop/errors/?page=1&order=times";
    assert_eq!(rows(&running.page(path).await), 1);
}

#[tokio::test]
async fn the_page_of_a_deep_recursion_stays_small() {
    let running = Running::start().await;
    let line = "x".repeat(200);
    let frame = |number: usize| {
        json!({"filename": "app/tree.py", "function": format!("walk_{number}"), "lineno": 7, "in_app": true,
            "pre_context": vec![&line; 5], "context_line": line, "post_context": vec![&line; 5]})
    };
    let frames: Vec<Value> = (0..1_000).map(frame).collect();
    running
        .accept(
            "errors",
            &json!({"message": "too deep", "exception": {"type": "RecursionError"}, "stacktrace": {"frames": frames}}),
        )
        .await;
    running.drained().await;
    let page = running.page("/acme/shop/errors/1/").await;
    assert!(page.len() < 1 << 20, "{}", page.len());
    assert!(page.contains("walk_999") && page.contains("The 800 oldest calls are not shown"));
    let answer = running.ask("errors/1/").await;
    assert_eq!(answer["occurrence"]["report"]["stacktrace"]["frames"].as_array().unwrap().len(), 1_000);
}

#[tokio::test]
async fn the_page_of_a_large_report_stays_small() {
    let running = Running::start().await;
    // Each line is indented by its depth.
    let nested = (0..50).fold(json!(vec![Value::Null; 900]), |inner, _| json!({ "d": inner }));
    let long = "<&\"".repeat(200_000);
    let vars: Map<String, Value> = (0..20_000).map(|number| (format!("var_{number}"), json!(number))).collect();
    let frames = json!([{"filename": "app/a.py", "function": long, "in_app": true, "lineno": 1, "context_line": long,
        "pre_context": vec!["x"; 30_000], "vars": vars}]);
    let reports = [
        json!({"message": "nested", "extra": {"nested": nested}, "user": {"id": 7}}),
        json!({"message": "long", "extra": {"a": long, "b": long}}),
        json!({"message": "many", "tags": (0..30_000).map(|at| (format!("tag_{at}"), json!(""))).collect::<Map<_, _>>()}),
        json!({"message": "wide", "stacktrace": {"frames": frames}}),
        json!({"message": format!("all of {long}"), "http": {"url": long, "query_string": long, "headers": {"A": long}}}),
    ];
    accept(&running, &reports).await;
    for error in running.ask("errors/").await["errors"].as_array().unwrap() {
        let page = running.page(&format!("/acme/shop/errors/{}/", error["number"])).await;
        assert!(page.len() < 1 << 20, "{}: {}", error["message"], page.len());
    }
    let page = running.page("/acme/shop/errors/1/").await;
    assert!(page.contains("The API returns all of it."), "{}", page.len());
    assert!(page.contains("<th scope=\"row\">id</th>"), "values beside a large one are shown");
}
