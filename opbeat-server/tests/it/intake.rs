//! The intake: accepted bodies, and rejections with their messages.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::running::{Running, zlib};

const GOOD: &str =
    r#"{"transactions": [{"transaction": "GET /", "result": 200, "durations": [1.5, 2.5]}], "traces": []}"#;

/// Returns the status, the message and the invalid fields of a rejection.
async fn rejection(response: reqwest::Response) -> (u16, String, Value) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status);
    (status, body["error_message"].as_str().unwrap().to_owned(), body["structured_error"].clone())
}

#[tokio::test]
async fn plain_and_compressed_bodies_are_accepted_with_and_without_a_slash() {
    let running = Running::start().await;
    assert_eq!(running.post("transactions", GOOD).await.status(), StatusCode::ACCEPTED);
    assert_eq!(running.post("transactions", zlib(GOOD)).await.status(), StatusCode::ACCEPTED);
    let without_slash = running.intake("transactions").trim_end_matches('/').to_owned();
    let request = running.client.post(without_slash).bearer_auth(&running.app.secret_token).body(GOOD);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::ACCEPTED);
    running.drained().await;
    let list = running.ask("transactions/?range=1h").await;
    assert_eq!((&list["transactions"][0]["count"], &list["transactions"][0]["average_ms"]), (&json!(6), &json!(2.0)));
}

#[tokio::test]
async fn tokens_are_checked() {
    let running = Running::start().await;
    let url = running.intake("errors");
    let (status, message, _) = rejection(running.client.post(&url).body(GOOD).send().await.unwrap()).await;
    assert_eq!(status, 401);
    insta::assert_snapshot!(message, @"The request has no token. Send the header `Authorization: Bearer <secret token>`; `opbeat app create ORG/APP` prints one.");
    let (status, message, _) = rejection(running.client.post(&url).bearer_auth("guess").send().await.unwrap()).await;
    assert_eq!(status, 401);
    insta::assert_snapshot!(message, @"This server does not know the secret token. `opbeat app create ORG/APP` prints a new one for the same app.");
    let other = running.server.create_app("acme", "other").await.unwrap();
    let (status, message, _) =
        rejection(running.client.post(&url).bearer_auth(&other.secret_token).send().await.unwrap()).await;
    assert_eq!(status, 403);
    insta::assert_snapshot!(message, @"The secret token belongs to a different app than the one in the URL. Check the organization id and the app id against what `opbeat app create ORG/APP` printed.");
}

#[tokio::test]
async fn other_methods_and_paths_are_rejected() {
    let running = Running::start().await;
    let response = running.client.request(Method::PUT, running.intake("errors")).send().await.unwrap();
    assert_eq!(response.headers()["allow"], "POST");
    let (status, message, _) = rejection(response).await;
    assert_eq!((status, message.as_str()), (405, "PUT is not allowed here. Use POST."));
    let (status, message, _) = rejection(running.get("/api/v1/organizations/x/apps/y/metrics/").await).await;
    assert_eq!(status, 404);
    let broken = running.client.post(format!("{}/api/v1/organizations/%ff/apps/y/errors/", running.server.url()));
    assert_eq!(rejection(broken.send().await.unwrap()).await.0, 400);
    assert!(message.contains("/errors/, …/transactions/, …/releases/ or …/deployments/"), "{message}");
}

#[tokio::test]
async fn rejections_say_what_is_wrong_with_the_body() {
    let running = Running::start().await;
    let cases = [
        ("transactions", "no json", "the body is not JSON"),
        ("transactions", "[]", "the body is an array; send one JSON object"),
        ("transactions", r#"{"transactions": [{"transa"#, "ends in the middle of a JSON value"),
        ("errors", "", "the body is empty"),
        ("errors", "{}", "send at least one of `message` and `exception`"),
    ];
    for (endpoint, body, reason) in cases {
        let (status, message, fields) = rejection(running.post(endpoint, body).await).await;
        assert_eq!(status, 400, "{body}");
        assert!(message.contains(reason), "{body}: {message}");
        assert!(fields["body"]["body"].is_string(), "{body}: {fields}");
    }
    let broken = [0x78, 0x9c, 1, 2, 3].to_vec();
    let (status, message, _) = rejection(running.post("errors", broken).await).await;
    assert_eq!(status, 400);
    assert!(message.contains("starts like zlib"), "{message}");
}

#[tokio::test]
async fn odd_values_are_changed_and_counted() {
    let running = Running::start().await;
    let bodies = [
        ("errors", r#"{"message": "a", "stacktrace": {"frames": [{"filename": "a.py", "lineno": "7"}]}}"#),
        ("errors", r#"{"message": "half of \ud83d", "extra": {"ratio": NaN}}"#),
        ("transactions", r#"{"transactions": [{"transaction": "a", "durations": [-1, 2]}]}"#),
        ("transactions", r#"{"transactions": [], "traces": {"groups": [], "raw": [[1.0, [7, 0, 1]]]}}"#),
        ("transactions", r#"{"traces": []}"#),
    ];
    for (endpoint, body) in bodies {
        assert_eq!(running.post(endpoint, body).await.status(), StatusCode::ACCEPTED, "{body}");
    }
    assert_eq!(running.post("errors", "{}").await.status(), StatusCode::BAD_REQUEST);
    running.drained().await;
    let report = running.ask("intake/?range=1h").await;
    let mut changed: Vec<(&str, u64)> = report["changed"].as_array().unwrap().iter().map(reason_and_count).collect();
    changed.sort_unstable();
    let expected =
        [("lone_surrogate", 1), ("negative_duration", 1), ("not_a_number", 1), ("unknown_group", 1), ("wrong_type", 1)];
    assert_eq!(changed, expected);
    let list = running.ask("transactions/").await;
    assert_eq!((&list["transactions"][0]["count"], &list["transactions"][0]["max_ms"]), (&json!(2), &json!(2.0)));
    let page = running.page("/acme/shop/intake/").await;
    assert!(page.contains("Half of a surrogate pair"), "{page}");
}

fn reason_and_count(note: &Value) -> (&str, u64) {
    (note["reason"].as_str().unwrap(), note["count"].as_u64().unwrap())
}

#[tokio::test]
async fn values_beyond_a_cap_are_counted_together_and_explained() {
    let running = Running::start().await;
    let groups: Vec<Value> = (0..130)
        .map(|number| json!({"transaction": "GET /", "result": format!("{number} books"), "durations": [1.0, 3.0]}))
        .collect();
    let body = json!({"transactions": groups, "traces": []}).to_string();
    assert_eq!(running.post("transactions", body).await.status(), StatusCode::ACCEPTED);
    running.drained().await;
    let report = running.ask("intake/?range=1h").await;
    let folded: Vec<(&str, u64)> = report["folded"].as_array().unwrap().iter().map(reason_and_count).collect();
    assert_eq!(folded, [("other_results", 60)]);
    let summary = running.transaction("GET /").await;
    assert_eq!((&summary["count"], &summary["average_ms"]), (&json!(260), &json!(2.0)), "{summary}");
    let series = running.ask("series/?range=1h").await;
    let by_result = |point: &Value| point["results"]["(other results)"].as_u64();
    assert_eq!(series["points"].as_array().unwrap().iter().filter_map(by_result).sum::<u64>(), 60, "{series}");
    let page = running.page("/acme/shop/intake/").await;
    assert!(page.contains("more than 100 different results"), "{page}");
}

/// The counts of refusals reach the store at the latest when the server stops.
#[tokio::test]
async fn refused_bodies_are_counted_by_app_and_reason() {
    let mut running = Running::start().await;
    let other = crate::running::intake_url(&running.server.create_app("acme", "other").await.unwrap(), "errors");
    let request = running.client.post(other).bearer_auth(&running.app.secret_token).body("{}");
    assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    for body in ["{}", "no json", "also no json", r#"{"message": "cut"#] {
        assert_eq!(running.post("errors", body).await.status(), StatusCode::BAD_REQUEST);
    }
    running = running.restart().await;
    let report = running.ask("intake/?range=1h").await;
    let refused: Vec<(&str, u64)> = report["refused"].as_array().unwrap().iter().map(reason_and_count).collect();
    assert_eq!(refused[0], ("not_json", 2));
    assert_eq!(refused.len(), 4);
    assert!(refused.contains(&("other_app", 1)), "counted for the app of the token: {refused:?}");
    let page = running.page("/acme/shop/intake/").await;
    assert!(page.contains("The body is not JSON"), "{page}");
}

#[tokio::test]
async fn sizes_are_capped_before_and_after_inflating() {
    let running = Running::start_with(|config| {
        config.intake.body = 1 << 20;
        config.intake.inflated = 4 << 20;
    })
    .await;
    let (status, message, _) = rejection(running.post("errors", vec![b' '; (1 << 20) + 1]).await).await;
    assert_eq!((status, message.as_str()), (413, "The body is larger than 1 MiB. Send smaller bodies, more often."));
    // Spaces compress to about a thousandth.
    let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        std::io::Write::write_all(&mut bomb, &vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let (status, message, _) = rejection(running.post("errors", bomb).await).await;
    assert_eq!((status, message.as_str()), (413, "The body is larger than 4 MiB. Send smaller bodies, more often."));
}

#[tokio::test]
async fn a_body_that_does_not_fit_into_the_queue_is_rejected() {
    let running = Running::start_with(|config| config.queue_limits.backlog = 10).await;
    let (status, message, _) = rejection(running.post("transactions", GOOD).await).await;
    assert_eq!(status, 503);
    assert!(message.contains("Send it again later, so that no data is lost"), "{message}");
    assert_eq!(running.get("/healthz").await.status(), StatusCode::OK, "smaller bodies are still accepted");
}

#[tokio::test]
async fn a_repeated_body_is_counted_once() {
    let running = Running::start().await;
    for _ in 0..3 {
        let request = running.client.post(running.intake("transactions")).bearer_auth(&running.app.secret_token);
        let response = request.header("Idempotency-Key", "one").body(GOOD).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED);
    }
    // A key belongs to one endpoint.
    let error = running.client.post(running.intake("errors")).bearer_auth(&running.app.secret_token);
    let error = error.header("Idempotency-Key", "one").body(r#"{"message": "no books"}"#).send().await.unwrap();
    assert_eq!(error.status(), StatusCode::ACCEPTED);
    let long = running.client.post(running.intake("errors")).bearer_auth(&running.app.secret_token);
    let long = long.header("Idempotency-Key", "k".repeat(256)).body(r#"{"message": "no books"}"#).send().await.unwrap();
    let (status, message, _) = rejection(long).await;
    assert_eq!(status, 400);
    assert!(message.contains("longer than 255 bytes"), "{message}");
    running.drained().await;
    assert_eq!(running.ask("errors/").await["total"], 1);
    assert_eq!(running.ask("transactions/").await["transactions"][0]["count"], 2);
}

#[tokio::test]
async fn an_app_that_is_created_while_the_server_runs_can_send_immediately() {
    let running = Running::start().await;
    let later = running.server.create_app("acme", "later").await.unwrap();
    let url = crate::running::intake_url(&later, "transactions");
    let response = running.client.post(url).bearer_auth(&later.secret_token).body(GOOD).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
}

/// Posts an error, and returns the answer's `Location`.
async fn location(running: &Running, headers: &[(&'static str, &str)], body: &Value) -> String {
    let mut request = running.client.post(running.intake("errors")).bearer_auth(&running.app.secret_token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(response.text().await.unwrap(), "", "agents expect an empty body");
    location
}

#[tokio::test]
async fn an_accepted_error_has_the_address_of_its_page() {
    let running = Running::start().await;
    let page = format!("{}/acme/shop/errors/by-id/", running.server.url());
    let python = json!({"message": "a", "client_supplied_id": "0123abcd", "extra": {"uuid": "ignored"}});
    assert_eq!(location(&running, &[], &python).await, format!("{page}0123abcd"));
    let node = json!({"message": "a", "extra": {"uuid": "6c9d1b76-4f0e-4a5b-9d5d-0e4f6b0f6a11"}});
    assert_eq!(location(&running, &[], &node).await, format!("{page}6c9d1b76-4f0e-4a5b-9d5d-0e4f6b0f6a11"));
    let odd = json!({"message": "a", "client_supplied_id": "a/b?c #ü"});
    assert_eq!(location(&running, &[], &odd).await, format!("{page}a%2Fb%3Fc%20%23%C3%BC"));
    let proxied = [("host", "opbeat.example:8443"), ("x-forwarded-proto", "https, http")];
    let expected = "https://opbeat.example:8443/acme/shop/errors/by-id/0123abcd";
    assert_eq!(location(&running, &proxied, &python).await, expected);
    let hostile = location(&running, &[("host", "evil\"><script>")], &python).await;
    assert_eq!(hostile, "/acme/shop/errors/by-id/0123abcd");
}

#[tokio::test]
async fn an_error_without_an_id_gets_one() {
    let running = Running::start().await;
    let mut locations = Vec::new();
    for id in [Value::Null, json!(""), json!(".."), json!("a\nb"), json!("x".repeat(129))] {
        let body = json!({"message": "a", "client_supplied_id": id});
        let location = location(&running, &[], &body).await;
        let generated = location.rsplit('/').next().unwrap().to_owned();
        assert!(generated.len() == 32 && generated.bytes().all(|byte| byte.is_ascii_hexdigit()), "{location}");
        locations.push(location);
    }
    locations.dedup();
    assert_eq!(locations.len(), 5, "each error has its own");
    let repeated = [("idempotency-key", "one")];
    let first = location(&running, &repeated, &json!({"message": "a"})).await;
    assert_eq!(location(&running, &repeated, &json!({"message": "a"})).await, first, "it is stored once");
}
