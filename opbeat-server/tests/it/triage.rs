//! Resolving, muting, opening and commenting errors, by pages and by the API.

use jiff::{SignedDuration, Timestamp};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::pages::text;
use crate::running::Running;

const API: &str = "/api/v2/organizations/acme/apps/shop/errors";

/// A server with errors, and a token that may change them.
struct Triage {
    running: Running,
    token: String,
}

impl Triage {
    async fn start(messages: &[&str]) -> Self {
        let running = Running::start().await;
        let token = running.command(&["token", "create", "acme", "--write", "--name", "Ada"]).await.trim().to_owned();
        let triage = Self { running, token };
        for message in messages {
            triage.fail(message).await;
        }
        triage
    }

    /// Reports an error that happens now.
    async fn fail(&self, message: &str) {
        self.fail_at(message, Timestamp::now()).await;
    }

    async fn fail_at(&self, message: &str, at: Timestamp) {
        self.running.accept("errors", &json!({"message": message, "timestamp": at.to_string()})).await;
        self.running.drained().await;
    }

    async fn release(&self, rev: &str) {
        self.running.accept("releases", &json!({"rev": rev, "status": "completed"})).await;
        self.running.drained().await;
    }

    async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> Response {
        let url = format!("{}{API}/{path}", self.running.server.url());
        let request = self.running.client.request(method, url).bearer_auth(token);
        request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap()
    }

    /// Changes an error, and returns it.
    async fn change(&self, number: i64, change: Value) -> Value {
        let response = self.send(Method::PATCH, &format!("{number}/"), &self.token, &change).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{change}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn error(&self, number: i64) -> Value {
        self.running.ask(&format!("errors/{number}/")).await
    }

    /// Posts a form as the owner's browser.
    async fn form(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
        let browser = Client::builder().redirect(Policy::none()).build().unwrap();
        let url = format!("{}/acme/shop/errors/{path}", self.running.server.url());
        let mut request = browser.post(url).header("cookie", &self.running.cookie);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body.to_owned()).send().await.unwrap()
    }
}

/// Returns the kinds of the events, the newest first.
fn events(error: &Value) -> Vec<&str> {
    error["activity"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_resolved_error_regresses_with_the_next_occurrence() {
    let triage = Triage::start(&["no ink"]).await;
    let resolved = triage.change(1, json!({"status": "resolved"})).await;
    assert_eq!((&resolved["status"], &resolved["regressed_at"]), (&json!("resolved"), &Value::Null));
    assert_eq!(resolved["activity"][0]["actor"], "Ada");
    // An error that waited in an agent since then is no regression.
    triage.fail_at("no ink", Timestamp::now() - SignedDuration::from_mins(5)).await;
    assert_eq!(triage.error(1).await["status"], "resolved");
    triage.fail("no ink").await;
    let open = triage.error(1).await;
    assert_eq!(open["status"], "open");
    assert_eq!((&open["regressed_at"], events(&open)), (&open["last_seen"], vec!["regressed", "resolved", "created"]));
    assert_eq!(open["activity"][0]["actor"], Value::Null, "nobody did it");
    let list = triage.running.ask("errors/?status=regressed").await;
    assert_eq!(
        (&list["total"], &list["counts"]),
        (&json!(1), &json!({"open": 1, "regressed": 1, "resolved": 0, "muted": 0}))
    );
    let page = text(&triage.running.page("/acme/shop/errors/1/").await);
    assert!(page.contains("It happened again just now, after it was resolved."), "{page}");
    // A second resolution ends the regression.
    assert_eq!(triage.change(1, json!({"status": "resolved"})).await["regressed_at"], Value::Null);
}

#[tokio::test]
async fn an_error_that_the_next_release_mends_waits_for_it() {
    let triage = Triage::start(&["no glue"]).await;
    triage.release("a1").await;
    let resolved = triage.change(1, json!({"status": "resolved", "in_next_release": true})).await;
    assert_eq!(resolved["ends"]["after_release"], 1);
    triage.fail("no glue").await;
    assert_eq!(triage.error(1).await["status"], "resolved", "the release that has the fault still runs");
    triage.release("b2").await;
    triage.fail("no glue").await;
    let open = triage.error(1).await;
    assert_eq!((&open["status"], &open["activity"][0]["release"]), (&json!("open"), &json!(2)));
}

#[tokio::test]
async fn a_muted_error_opens_at_its_end() {
    let triage = Triage::start(&["no ink", "no pens", "no type", "no press"]).await;
    triage.change(1, json!({"status": "muted"})).await;
    triage.change(2, json!({"status": "muted", "further_errors": 2})).await;
    let soon = Timestamp::from_second(Timestamp::now().as_second() + 3_600).unwrap();
    let muted = triage.change(3, json!({"status": "muted", "until": soon.to_string()})).await;
    assert_eq!(muted["activity"][0]["until"], soon.to_string());
    triage.change(4, json!({"status": "muted", "until_next_release": true})).await;
    for message in ["no ink", "no pens", "no type", "no press"] {
        triage.fail(message).await;
    }
    assert_eq!(triage.running.ask("errors/").await["counts"]["muted"], 4);
    triage.fail("no pens").await;
    triage.release("a1").await;
    triage.fail("no press").await;
    triage.fail("no ink").await;
    let state = async |number| {
        let error = triage.error(number).await;
        (error["status"].clone(), error["activity"][0]["reason"].clone(), error["regressed_at"].clone())
    };
    assert_eq!(state(1).await, (json!("muted"), Value::Null, Value::Null));
    assert_eq!(state(2).await, (json!("open"), json!("count"), Value::Null), "it is no regression");
    assert_eq!(state(3).await.0, json!("muted"));
    assert_eq!(state(4).await, (json!("open"), json!("release"), Value::Null));
    let page = text(&triage.running.page("/acme/shop/errors/?status=muted").await);
    assert!(page.contains("E#1") && page.contains("E#3") && !page.contains("E#2"), "{page}");
}

#[tokio::test]
async fn only_tokens_that_may_write_change_their_own_organization() {
    let triage = Triage::start(&["no ink"]).await;
    let Triage { running, token } = &triage;
    let resolve = json!({"status": "resolved"});
    let refused = triage.send(Method::PATCH, "1/", &running.read_token, &resolve).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let body: Value = refused.json().await.unwrap();
    assert!(body["error_message"].as_str().unwrap().contains("opbeat token create ORG --write"), "{body}");
    let comment = triage.send(Method::POST, "1/comments/", &running.read_token, &json!({"text": "hm"})).await;
    assert_eq!(comment.status(), StatusCode::FORBIDDEN);
    running.server.create_app("rival", "shop").await.unwrap();
    let rival = running.command(&["token", "create", "rival", "--write"]).await.trim().to_owned();
    assert_eq!(triage.send(Method::PATCH, "1/", &rival, &resolve).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(triage.send(Method::PATCH, "7/", token, &resolve).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(triage.error(1).await["status"], "open");
    let list = running.command(&["token", "list", "acme"]).await;
    assert!(list.lines().any(|line| line.contains("\twrite\t") && line.ends_with("\tAda")), "{list}");
    // A browser that signed in with a token for reading has no buttons, and its forms have no effect.
    let owner = running.page("/acme/shop/errors/1/").await;
    assert!(owner.contains("Resolve in the next release") && owner.contains("Add comment"));
    let fields = format!("token={}", running.read_token);
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = browser.post(format!("{}/sign-in", running.server.url())).body(fields);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let session = crate::running::session_of(&request.send().await.unwrap());
    let page = browser.get(format!("{}/acme/shop/errors/1/", running.server.url())).header("cookie", &session);
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("Resolve") && !page.contains("Add comment"), "{page}");
    let request = browser.post(format!("{}/acme/shop/errors/change", running.server.url())).header("cookie", &session);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let refused = request.body("number=1&action=resolve").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(text(&refused.text().await.unwrap()).contains("You may read and not change errors."));
    assert_eq!(triage.error(1).await["status"], "open");
}

#[tokio::test]
async fn invalid_changes_say_what_to_send() {
    let triage = Triage::start(&["no ink"]).await;
    for (change, reason) in [
        (json!({"status": "closed"}), "closed"),
        (json!({"status": "resolved", "further_errors": 3}), "for the status `muted`"),
        (json!({"status": "muted", "in_next_release": true}), "for the status `resolved`"),
        (json!({"status": "muted", "until": "2020-01-01T00:00:00Z"}), "must be in the future"),
        (json!({"status": "muted", "further_errors": 0}), "from 1 to 1,000,000,000"),
        (json!({"status": "muted", "until": "soon"}), "until"),
        (json!({"state": "muted"}), "state"),
    ] {
        let refused = triage.send(Method::PATCH, "1/", &triage.token, &change).await;
        let status = refused.status();
        let body = refused.text().await.unwrap();
        assert!(status.is_client_error() && body.contains(reason), "{change}: {status} {body}");
    }
    for (text, status) in [("", 400), ("  \n", 400), ("fine", 201)] {
        let commented = triage.send(Method::POST, "1/comments/", &triage.token, &json!({"text": text})).await;
        assert_eq!(commented.status().as_u16(), status, "{text:?}");
    }
    let long = triage.send(Method::POST, "1/comments/", &triage.token, &json!({"text": "é".repeat(10_001)})).await;
    assert_eq!(long.status(), StatusCode::BAD_REQUEST);
    let missing = triage.send(Method::POST, "9/comments/", &triage.token, &json!({"text": "hm"})).await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let error = triage.error(1).await;
    assert_eq!((&error["status"], events(&error)), (&json!("open"), vec!["commented", "created"]));
    let unknown = triage.running.client.get(format!("{}{API}/?status=new", triage.running.server.url()));
    assert_eq!(unknown.bearer_auth(&triage.token).send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_list_shows_open_errors_and_changes_several_at_once() {
    let triage = Triage::start(&["no ink", "no pens", "no type"]).await;
    let changed = triage
        .form(
            "change",
            "number=1&number=3&number=99&number=x&action=resolve&back=%2Facme%2Fshop%2Ferrors%2F%3Fstatus%3Dall",
            &[],
        )
        .await;
    assert_eq!(changed.status(), StatusCode::SEE_OTHER);
    assert_eq!(changed.headers()["location"], "/acme/shop/errors/?status=all");
    let open = text(&triage.running.page("/acme/shop/errors/").await);
    assert!(open.contains("no pens") && !open.contains("no ink") && open.contains("open 1"), "{open}");
    let all = text(&triage.running.page("/acme/shop/errors/?status=all").await);
    assert!(all.contains("no ink") && all.contains("resolved 2"), "{all}");
    let muted = triage.form("change", "number=2&action=mute&until=100&back=https%3A%2F%2Fevil.example%2F", &[]).await;
    assert_eq!(muted.headers()["location"], "/", "only to a page of this server");
    let page = text(&triage.running.page("/acme/shop/errors/2/").await);
    assert!(page.contains("Muted just now, until it was seen 101 times."), "{page}");
    assert!(page.contains("the owner of the server muted it until 100 further errors"), "{page}");
    let empty = text(&triage.running.page("/acme/shop/errors/").await);
    assert!(empty.contains("No open errors"), "{empty}");
    triage.form("2/comments", "text=Ask%20%3Cb%3EBo%3C%2Fb%3E", &[]).await;
    let page = triage.running.page("/acme/shop/errors/2/").await;
    assert!(page.contains("Ask &lt;b&gt;Bo&lt;/b&gt;"), "{page}");
    // Pages of other sites cannot send the forms.
    for headers in [&[("sec-fetch-site", "cross-site")][..], &[("origin", "https://evil.example")]] {
        let forged = triage.form("change", "number=2&action=open", headers).await;
        assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(triage.form("change", "number=2&action=burn", &[]).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(triage.error(2).await["status"], "muted");
}

#[tokio::test]
async fn errors_are_found_by_their_texts_and_numbers() {
    let triage = Triage::start(&["no ink in Pen 7", "50% of the glue is gone", "under_score"]).await;
    triage.change(2, json!({"status": "resolved"})).await;
    let found = async |search: &str| {
        let list = triage.running.ask(&format!("errors/?search={search}")).await;
        list["errors"].as_array().unwrap().iter().map(|error| error["number"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(found("pen").await, [1]);
    assert_eq!(found("50%25").await, [2], "percent signs are no wildcards");
    assert_eq!(found("r_s").await, [3]);
    assert_eq!(found("error").await.len(), 3, "the level");
    assert_eq!(found("zebra").await, [0; 0]);
    assert_eq!(found(&"_".repeat(30_000)).await, [0; 0], "a long search is shortened");
    let page = text(&triage.running.page("/acme/shop/errors/?search=glue").await);
    assert!(page.contains("50% of the glue"), "a search finds resolved errors: {page}");
    let moved = Client::builder().redirect(Policy::none()).build().unwrap();
    let url = format!("{}/acme/shop/errors/?search=E%232", triage.running.server.url());
    let moved = moved.get(url).header("cookie", &triage.running.cookie).send().await.unwrap();
    assert_eq!(moved.headers()["location"], "/acme/shop/errors/2/");
    let nothing = text(&triage.running.page("/acme/shop/errors/?search=%3Czebra").await);
    assert!(nothing.contains("No error has &lt;zebra in its type"), "{nothing}");
}

/// Returns the parts of an error that a merge changes: the number of errors, those of the last 24 hours, and the first and
/// the last time.
fn sums(error: &Value) -> [Value; 4] {
    let recent: i64 = error["trend"].as_array().unwrap().iter().map(|count| count.as_i64().unwrap()).sum();
    [error["times_seen"].clone(), recent.into(), error["first_seen"].clone(), error["last_seen"].clone()]
}

#[tokio::test]
async fn merged_errors_are_one_until_they_are_split() {
    let triage = Triage::start(&["no ink", "no pens", "no type"]).await;
    let (ink, pens) = (triage.error(1).await, triage.error(2).await);
    let others = |numbers: &[i64]| json!({"errors": numbers});
    let send = async |path: &str, body: Value| -> Value {
        let response = triage.send(Method::POST, path, &triage.token, &body).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    };
    // 3 into 2, and both into 1.
    send("2/merge/", others(&[3])).await;
    let all = send("1/merge/", others(&[2])).await;
    assert_eq!((&all["number"], &all["message"]), (&json!(1), &json!("no ink")), "it keeps its message");
    assert_eq!(all["first_seen"], ink["first_seen"]);
    assert_eq!(sums(&all)[..2], [json!(3), json!(3)]);
    let numbers = |error: &Value| -> Vec<i64> {
        error["merged"].as_array().unwrap().iter().map(|merged| merged["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&all), [2, 3]);
    assert_eq!((all["occurrences"].as_array().unwrap().len(), events(&all)), (3, vec!["merged", "created"]));
    let list = triage.running.ask("errors/").await;
    assert_eq!((&list["total"], &list["counts"]["open"]), (&json!(1), &json!(1)));

    // New errors of a merged one belong to all: they are counted, and open it again.
    triage.change(2, json!({"status": "resolved"})).await;
    triage.fail("no type").await;
    let all = triage.error(3).await;
    assert_eq!((&all["number"], &all["status"], &all["message"]), (&json!(1), &json!("open"), &json!("no ink")));
    assert_eq!(sums(&all)[..2], [json!(4), json!(4)]);
    assert_eq!(events(&all)[..2], ["regressed", "resolved"]);
    assert_eq!(all["occurrence"]["report"]["message"], "no type");
    let page = text(&triage.running.page("/acme/shop/errors/3/").await);
    assert!(page.contains("E#1 no ink") && page.contains("Merged errors") && page.contains("E#3 no type 2×"), "{page}");

    // A split gives each its own figures.
    let ink_again = send("1/split/", others(&[2, 3])).await;
    assert_eq!((numbers(&ink_again), sums(&ink_again)), (vec![], sums(&ink)));
    let pens_again = triage.error(2).await;
    assert_eq!(
        (sums(&pens_again), events(&pens_again)),
        (sums(&pens), vec!["split_from", "merged_into", "merged", "created"])
    );
    assert_eq!(sums(&triage.error(3).await)[..2], [json!(2), json!(2)]);
    triage.fail("no type").await;
    assert_eq!(sums(&triage.error(3).await)[..2], [json!(3), json!(3)]);
    assert_eq!(sums(&triage.error(1).await), sums(&ink));
}

#[tokio::test]
async fn pages_merge_selected_errors_into_the_oldest() {
    let triage = Triage::start(&["no ink", "no pens", "no type"]).await;
    let merged = triage.form("change", "number=3&number=2&action=merge", &[]).await;
    assert_eq!(
        (merged.status(), &merged.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/acme/shop/errors/2/".parse().unwrap())
    );
    let list = text(&triage.running.page("/acme/shop/errors/").await);
    assert!(list.contains("no ink") && list.contains("no pens") && !list.contains("no type"), "{list}");
    let moved = triage.running.page("/acme/shop/errors/3/").await;
    assert!(text(&moved).contains("E#2 no pens") && moved.contains("Split E#3"), "{moved}");
    let split = triage.form("change", "from=2&number=3&action=split&back=%2Facme%2Fshop%2Ferrors%2F2%2F", &[]).await;
    assert_eq!(split.headers()["location"], "/acme/shop/errors/2/");
    assert_eq!(triage.running.ask("errors/").await["total"], 3);
    for (form, status, reason) in [
        ("number=2&action=merge", StatusCode::BAD_REQUEST, "These errors are one already."),
        ("number=2&number=9&action=merge", StatusCode::NOT_FOUND, "There is no error at this address"),
        ("from=2&number=1&action=split", StatusCode::BAD_REQUEST, "not merged into the other one"),
    ] {
        let refused = triage.form("change", form, &[]).await;
        let (answered, page) = (refused.status(), text(&refused.text().await.unwrap()));
        assert!(answered == status && page.contains(reason), "{form}: {answered} {page}");
    }
    triage.running.server.create_app("rival", "shop").await.unwrap();
    let rival = triage.running.command(&["token", "create", "rival", "--write"]).await.trim().to_owned();
    let body = json!({"errors": [2]});
    assert_eq!(triage.send(Method::POST, "1/merge/", &rival, &body).await.status(), StatusCode::NOT_FOUND);
    let read = &triage.running.read_token;
    assert_eq!(triage.send(Method::POST, "1/merge/", read, &body).await.status(), StatusCode::FORBIDDEN);
}
