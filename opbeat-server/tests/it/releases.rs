//! Releases and deployments: bodies recorded from release-tracker and opbeatcli, and those of deploy scripts.

use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::pages::text;
use crate::running::{Running, recording, zlib};

const REV: &str = "2b9d4e07a1c35f68e0b7d2946ac81f53de70b942";

/// Posts a recorded body with its headers.
async fn replay(running: &Running, agent: &str, name: &str, compressed: bool) {
    let (headers, body) = recording(agent, name);
    let body = if compressed { zlib(&body) } else { body.into_bytes() };
    let url = running.intake(name.split_once('-').unwrap().1);
    let request = running.client.post(url).bearer_auth(&running.app.secret_token).headers(headers);
    let response = request.body(body).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED, "release-tracker takes no other status");
    assert_eq!(response.text().await.unwrap(), "");
}

#[tokio::test]
async fn releases_of_the_release_tracker_are_listed_with_their_machines() {
    let running = Running::start().await;
    for name in ["01-releases", "02-releases", "03-releases", "04-releases"] {
        replay(&running, "release-tracker", name, true).await;
    }
    running.drained().await;
    let list = running.ask("releases/").await;
    assert_eq!(list["total"], 2);
    let [newest, first] = list["releases"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&newest["number"], &newest["rev"]), (&json!(2), &json!("ee779d9ec8099fef7c65dd02edbd9dfebf789f68")));
    assert_eq!((&newest["machines"], &newest["machine_count"]), (&json!([]), &json!(0)));
    assert_eq!((&first["number"], &first["rev"], &first["branch"]), (&json!(1), &json!(REV), &json!("main")));
    assert_eq!(first["status"], "completed");
    let machines = first["machines"].as_array().unwrap();
    let names: Vec<&str> = machines.iter().map(|machine| machine["hostname"].as_str().unwrap()).collect();
    assert_eq!(names, ["web-2.example.com", "web-1.example.com"]);
    assert_eq!(first["last_completed_at"], machines[0]["completed_at"]);
    assert!(first["first_completed_at"].as_str().unwrap() < machines[1]["completed_at"].as_str().unwrap());
    for name in [REV, "1"] {
        assert_eq!(running.ask(&format!("releases/{name}/")).await, *first, "{name}");
    }
    assert_eq!(running.ask("releases/?limit=1&offset=1").await["releases"], json!([first]));
}

#[tokio::test]
async fn the_bytes_of_a_release_decide_how_it_is_read() {
    let running = Running::start().await;
    let json = |rev: &str| json!({"rev": rev, "branch": "fix/cart", "status": "completed"}).to_string();
    let form = |rev: &str| format!("rev={rev}&branch=fix%2Fcart&status=completed");
    let bodies = [
        ("application/json", json("1a").into_bytes()),
        ("application/json", form("2b").into_bytes()),
        ("application/x-www-form-urlencoded", json("3c").into_bytes()),
        ("application/x-www-form-urlencoded", form("4d").into_bytes()),
        ("application/octet-stream", zlib(&json("5e"))),
        ("text/plain", zlib(&form("6f"))),
    ];
    for (content_type, body) in bodies {
        let request = running.client.post(running.intake("releases")).bearer_auth(&running.app.secret_token);
        let response = request.header(CONTENT_TYPE, content_type).body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{content_type}");
    }
    running.drained().await;
    let list = running.ask("releases/").await;
    let releases = list["releases"].as_array().unwrap();
    let revs: Vec<&str> = releases.iter().map(|release| release["rev"].as_str().unwrap()).collect();
    assert_eq!(revs, ["6f", "5e", "4d", "3c", "2b", "1a"]);
    assert!(releases.iter().all(|release| release["branch"] == "fix/cart"), "{list}");
}

#[tokio::test]
async fn a_release_on_machines_is_completed_as_a_whole_later() {
    let running = Running::start().await;
    let on = |machine: &str| json!({"rev": "77", "branch": null, "status": "machine-completed", "machine": machine});
    running.accept("releases", &on("web-1")).await;
    running.accept("releases", &on("web-2")).await;
    running.accept("releases", &on("web-1")).await;
    running.drained().await;
    let release = running.ask("releases/77/").await;
    assert_eq!((&release["status"], &release["branch"]), (&json!("machine-completed"), &json!("")));
    assert_eq!(release["machine_count"], 2, "a machine that is completed again is the same one");
    assert_eq!(release["machines"][0]["hostname"], "web-1");
    running.accept("releases", &json!({"rev": "77", "branch": "main", "status": "completed"})).await;
    running.accept("releases", &json!({"rev": "1", "status": "completed"})).await;
    running.drained().await;
    let release = running.ask("releases/77/").await;
    assert_eq!((&release["number"], &release["status"]), (&json!(1), &json!("completed")));
    assert_eq!((&release["branch"], &release["machine_count"]), (&json!("main"), &json!(2)));
    assert_eq!(running.ask("releases/1/").await["rev"], "1", "a revision comes before a number");
    assert_eq!(running.ask("releases/2/").await["rev"], "1");
}

#[tokio::test]
async fn a_release_can_be_reported_later() {
    let running = Running::start().await;
    let now = jiff::Timestamp::now();
    let report = async |rev: &str, hours: i64| {
        let time = now + jiff::SignedDuration::from_hours(hours);
        running.accept("releases", &json!({"rev": rev, "status": "completed", "timestamp": time.to_string()})).await;
        running.drained().await;
        let release = running.ask(&format!("releases/{rev}/")).await;
        let completed: jiff::Timestamp = release["last_completed_at"].as_str().unwrap().parse().unwrap();
        completed.duration_since(now).as_hours()
    };
    assert_eq!(report("past", -30).await, -30);
    assert_eq!(report("old", -24 * 15).await, 0, "too old to be judged: it counts from its receipt");
    assert_eq!(report("future", 2).await, 0, "nothing is completed in the future");
}

#[tokio::test]
async fn rejected_releases_and_deployments_say_what_to_send() {
    let running = Running::start().await;
    let cases = [
        ("releases", r#"{"status": "completed"}"#, "rev", "send the revision, as in `rev=a1b2c3&status=completed`"),
        ("releases", "branch=main&status=completed", "rev", "send the revision"),
        ("releases", r#"{"rev": "a1"}"#, "status", "it is missing; send `completed`, or `machine-completed`"),
        ("releases", "rev=a1&status=started", "status", "it is \"started\"; send `completed`"),
        ("releases", "", "body", "the body is empty"),
        ("releases", "[]", "body", "the body is an array"),
        ("deployments", r#"{"machines": [{"hostname": "a"}]}"#, "body", "`releases`"),
        ("deployments", r#"{"releases": [{"module": {"name": "a", "type": "deb"}}]}"#, "machines", "names no machine"),
        ("deployments", r#"{"machines": [{"hostname": "a"}], "rel"#, "body", "ends in the middle"),
    ];
    for (endpoint, body, field, reason) in cases {
        let response = running.post(endpoint, body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        let answer: Value = response.json().await.unwrap();
        let message = answer["error_message"].as_str().unwrap();
        assert!(message.contains(reason), "{body}: {message}");
        assert!(answer["structured_error"][field][field].is_string(), "{body}: {answer}");
    }
    let without_token = running.client.post(running.intake("releases")).body("rev=a1&status=completed");
    assert_eq!(without_token.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    assert_eq!(running.ask("releases/").await["total"], 0);
}

#[tokio::test]
async fn packages_that_opbeatcli_collected_are_listed_by_machine() {
    let running = Running::start().await;
    replay(&running, "opbeatcli", "01-deployments", false).await;
    running.drained().await;
    let sent: Value = serde_json::from_str(&recording("opbeatcli", "01-deployments").1).unwrap();
    let sent = sent["releases"].as_array().unwrap();
    let list = running.ask("deployments/").await;
    assert_eq!(list["total"], 1);
    let machine = &list["deployments"][0];
    assert_eq!(machine["machine"], "web-1.example.com");
    let of_type = |is_component: bool| {
        let is_sent = |module: &&Value| (module["module"]["type"] == "repository") == is_component;
        sent.iter().filter(is_sent).map(shown).collect::<Vec<Value>>()
    };
    let (components, packages) = (of_type(true), of_type(false));
    assert_eq!((components.len(), &machine["components"]), (3, &json!(components)));
    assert_eq!((&machine["component_count"], &machine["packages"]), (&json!(3), &json!(packages.len())));
    let detail = running.ask("deployments/web-1.example.com/").await;
    assert_eq!((&detail["components"], &detail["package_list"]), (&json!(components), &json!(packages)));
    assert_eq!((&detail["received_at"], &detail["earlier"]), (&machine["received_at"], &json!([])));
}

/// Returns a module of a body as the API shows it.
fn shown(sent: &Value) -> Value {
    let vcs = sent.get("vcs").map(|vcs| {
        json!({"type": vcs["type"], "revision": vcs["revision"], "branch": vcs["branch"], "repository": vcs["repository"]})
    });
    json!({"name": sent["module"]["name"], "type": sent["module"]["type"], "version": sent["version"], "path": sent["path"],
        "vcs": vcs})
}

#[tokio::test]
async fn the_newest_report_of_a_machine_is_shown_and_earlier_ones_are_counted() {
    let running = Running::start().await;
    let package =
        |version: usize| json!({"module": {"name": "flask", "type": "python"}, "version": format!("1.{version}")});
    let both = json!([{"hostname": "web/1"}, {"hostname": "web-2"}]);
    running.accept("deployments", &json!({"machines": both, "releases": [package(0)]})).await;
    for version in 1..=25 {
        running
            .accept("deployments", &json!({"machines": [{"hostname": "web/1"}], "releases": [package(version)]}))
            .await;
    }
    running.drained().await;
    let list = running.ask("deployments/?limit=1").await;
    assert_eq!((&list["total"], &list["deployments"][0]["machine"]), (&json!(2), &json!("web/1")));
    let first = running.ask("deployments/web%2F1/").await;
    assert_eq!(first["package_list"][0]["version"], "1.25");
    assert_eq!(first["earlier"].as_array().unwrap().len(), 19, "twenty reports are kept");
    let second = running.ask("deployments/web-2/").await;
    assert_eq!(second["package_list"][0]["version"], "1.0", "a report on another machine is kept");
}

#[tokio::test]
async fn a_large_deployment_is_kept_and_its_passwords_are_not() {
    let running = Running::start().await;
    let mut modules: Vec<Value> = (0..15_000)
        .map(|number| json!({"module": {"name": format!("package-{number}"), "type": "deb"}, "version": "1.0"}))
        .collect();
    modules.extend((0..150).map(|number| {
        json!({"module": {"name": format!("part-{number}"), "type": "repository"}, "path": "/srv",
            "vcs": {"type": "git", "revision": REV, "repository": "https://bot:s3cret@git.example/shop.git"}})
    }));
    running.accept("deployments", &json!({"machines": [{"hostname": "web-1"}], "releases": modules})).await;
    running.drained().await;
    let list = running.ask("deployments/").await;
    let machine = &list["deployments"][0];
    assert_eq!((&machine["packages"], &machine["component_count"]), (&json!(15_000), &json!(150)));
    assert_eq!(machine["components"].as_array().unwrap().len(), 100);
    let detail = running.ask("deployments/web-1/").await;
    assert_eq!(detail["package_list"].as_array().unwrap().len(), 15_000);
    assert_eq!(detail["components"].as_array().unwrap().len(), 150);
    assert_eq!(detail["components"][149]["vcs"]["revision"], REV);
    for answer in [&list, &detail] {
        let answer = answer.to_string();
        assert!(answer.contains("git.example/shop.git") && !answer.contains("s3cret"), "the address has no password");
    }
}

#[tokio::test]
async fn releases_and_machines_belong_to_one_app() {
    let running = Running::start().await;
    let module = json!({"module": {"name": "shop", "type": "repository"}, "version": "1.0"});
    let deployment = json!({"machines": [{"hostname": "web-1"}], "releases": [module]});
    running.accept("releases", &json!({"rev": "a1", "status": "completed"})).await;
    running.accept("releases", &json!({"rev": "a2", "status": "completed"})).await;
    running.accept("deployments", &deployment).await;
    let rival = running.server.create_app("rival", "shop").await.unwrap();
    let url = crate::running::intake_url(&rival, "releases");
    let request = running.client.post(url).bearer_auth(&rival.secret_token).body("rev=a2&status=completed");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED);
    running.drained().await;
    let token = running.server.create_read_token("rival").await.unwrap();
    let get = async |path: &str| {
        let url = format!("{}/api/v2/organizations/{path}", running.server.url());
        running.client.get(url).bearer_auth(&token).send().await.unwrap()
    };
    let release: Value = get("rival/apps/shop/releases/a2/").await.json().await.unwrap();
    assert_eq!(release["number"], 1, "each app has its own numbers");
    for path in [
        "acme/apps/shop/releases/",
        "acme/apps/shop/releases/a1/",
        "acme/apps/shop/deployments/",
        "acme/apps/shop/deployments/web-1/",
        "rival/apps/shop/releases/a1/",
        "rival/apps/shop/deployments/web-1/",
    ] {
        assert_eq!(get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_release_lists_the_errors_that_began_came_back_and_ended_with_it() {
    let running = Running::start().await;
    let token = running.command(&["token", "create", "acme", "--write"]).await.trim().to_owned();
    let fail = async |message: &str| {
        running.accept("errors", &json!({"message": message})).await;
        running.drained().await;
    };
    let release = async |rev: &str| {
        running.accept("releases", &json!({"rev": rev, "status": "completed", "branch": "main"})).await;
        running.drained().await;
    };
    release("a1").await;
    fail("no ink").await;
    fail("no pens").await;
    let url = format!("{}/api/v2/organizations/acme/apps/shop/errors/1/", running.server.url());
    let request = running.client.patch(url).bearer_auth(&token).header("content-type", "application/json");
    let resolved = request.body(json!({"status": "resolved"}).to_string()).send().await.unwrap();
    assert_eq!(resolved.status(), StatusCode::OK);
    release("b2").await;
    fail("no ink").await;
    fail("no type").await;
    fail("no type").await;
    let messages = |part: &Value| {
        let errors = part["errors"].as_array().unwrap().iter();
        errors.map(|error| error["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let errors = running.ask("releases/b2/errors/").await;
    let lists = ["new", "regressed", "gone"].map(|part| (errors[part]["total"].clone(), messages(&errors[part])));
    let expected = ["no type", "no ink", "no pens"].map(|message| (json!(1), vec![message.to_owned()]));
    assert_eq!(lists, expected);
    let list = running.ask("releases/").await;
    let new: Vec<&Value> = list["releases"].as_array().unwrap().iter().map(|release| &release["new_errors"]).collect();
    assert_eq!(new, [1, 2]);

    let page = text(&running.page("/acme/shop/releases/2/").await);
    assert!(page.contains("1 error began with this release, and 1 came back."), "{page}");
    assert!(page.contains("New errors 1") && page.contains("Gone errors 1") && page.contains("no type"), "{page}");
    let list = text(&running.page("/acme/shop/releases/").await);
    assert!(list.contains("R#2 b2 main 1 – just now"), "{list}");
    assert_eq!(running.get("/acme/shop/releases/3/").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn charts_mark_releases() {
    let running = Running::start().await;
    let empty = text(&running.page("/acme/shop/releases/").await);
    assert!(empty.contains("No releases") && empty.contains("-d status=completed"), "{empty}");
    let body = json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [1.0]}], "traces": []});
    running.accept("transactions", &body).await;
    for rev in ["a1", "b2", "<script>"] {
        running.accept("releases", &json!({"rev": rev, "status": "completed"})).await;
    }
    running.drained().await;
    let series = running.ask("series/?range=1h").await;
    let numbers: Vec<&Value> = series["releases"].as_array().unwrap().iter().map(|mark| &mark["number"]).collect();
    assert_eq!(numbers, [3, 2, 1]);
    let page = running.page("/acme/shop/?range=1h").await;
    assert_eq!(page.matches("class=\"release\"").count(), 2, "one in each chart");
    assert!(page.contains("3 releases") && page.contains("href=\"/acme/shop/releases/\""), "{page}");
    let earlier = running.ask("series/?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z").await;
    assert_eq!(earlier["releases"], json!([]));
    let list = running.page("/acme/shop/releases/").await;
    assert!(list.contains("&lt;script&gt;") && !list.contains("<script>"));
}
