//! Data from the browsers of an application's users: which pages may send it, and the bodies of the browser agents.

use reqwest::header::{HeaderMap, ORIGIN, REFERER};
use reqwest::{Method, Response, StatusCode, Url};
use serde_json::{Value, json};

use crate::running::{Running, recording, zlib};

const SHOP: &str = "https://shop.example";

/// Starts a server whose app allows the pages of the recordings.
async fn allowing_shop() -> Running {
    let running = Running::start().await;
    assert_eq!(running.command(&["app", "origins", "acme/shop", "--add", SHOP]).await, "https://shop.example\n");
    running
}

async fn send(running: &Running, method: Method, endpoint: &str, headers: HeaderMap, body: Vec<u8>) -> Response {
    let request = running.client.request(method, running.intake(&format!("client-side/{endpoint}")));
    request.headers(headers).body(body).send().await.unwrap()
}

/// Sends an error from a page of an origin.
async fn report(running: &Running, origin: &str) -> Response {
    let headers = [(ORIGIN, origin.parse().unwrap())].into_iter().collect();
    send(running, Method::POST, "errors", headers, br#"{"message": "no cart"}"#.to_vec()).await
}

/// Returns the message of a rejection, which the page of another origin cannot read.
async fn refusal(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["vary"], "Origin");
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let body: Value = response.json().await.unwrap();
    assert_eq!((&body["status"], &body["structured_error"]), (&json!(403), &json!({})));
    body["error_message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn bodies_of_the_react_agent_are_accepted_after_their_preflights() {
    let running = allowing_shop().await;
    for (name, endpoint, method) in [
        ("01-client-side-errors-preflight", "errors", Method::OPTIONS),
        ("02-client-side-errors", "errors", Method::POST),
        ("04-client-side-errors", "errors", Method::POST),
        ("05-client-side-transactions-preflight", "transactions", Method::OPTIONS),
        ("06-client-side-transactions", "transactions", Method::POST),
    ] {
        let (headers, body) = recording("browser", name);
        let is_preflight = method == Method::OPTIONS;
        let response = send(&running, method, endpoint, headers, body.into_bytes()).await;
        let status = if is_preflight { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED };
        assert_eq!(response.status(), status, "{name}");
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("access-control-allow-origin").as_deref(), Some(SHOP), "{name}");
        assert_eq!(header("vary").as_deref(), Some("Origin"), "{name}");
        if is_preflight {
            assert_eq!(header("access-control-allow-methods").as_deref(), Some("POST"));
            let allowed = header("access-control-allow-headers").unwrap();
            assert_eq!(allowed, "content-type, x-opbeat-client, x-opbeat-platform");
            assert_eq!(header("access-control-max-age").as_deref(), Some("7200"));
        } else if endpoint == "errors" {
            let page = format!("{}/acme/shop/errors/by-id/", running.server.url());
            assert!(header("location").unwrap().starts_with(&page));
            assert_eq!(header("access-control-expose-headers").as_deref(), Some("location, retry-after"));
        }
        assert_eq!(response.text().await.unwrap(), "", "{name}");
    }
    running.drained().await;
    check_errors(&running).await;
    check_transactions(&running).await;
}

async fn check_errors(running: &Running) {
    let list = running.ask("errors/").await;
    assert_eq!(list["total"], 2);
    let errors = list["errors"].as_array().unwrap();
    let error = errors.iter().find(|error| error["message"] == "card declined for order A-4").unwrap();
    let error = running.ask(&format!("errors/{}/", error["number"])).await;
    let report = &error["occurrence"]["report"];
    let sent: Value = serde_json::from_str(&recording("browser", "02-client-side-errors").1).unwrap();
    let functions = |body: &Value| -> Vec<Value> {
        let frames = body["stacktrace"]["frames"].as_array().unwrap();
        frames.iter().map(|frame| frame["function"].clone()).collect()
    };
    assert_eq!(functions(report), functions(&sent), "the oldest call is first");
    assert_eq!(report["http"]["url"], sent["http"]["url"]);
    let agent = "Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/24.1.3";
    let headers = json!({"User-Agent": agent, "X-Opbeat-Client": "opbeat-react/v3.4.0"});
    assert_eq!(report["http"]["headers"], headers);
    assert!(!report.to_string().contains("127.0.0.1"), "the browser's address is not kept: {report}");
}

async fn check_transactions(running: &Running) {
    let list = running.ask("transactions/?range=30d").await;
    let sent: Value = serde_json::from_str(&recording("browser", "06-client-side-transactions").1).unwrap();
    let shown = list["transactions"].as_array().unwrap();
    let sent = sent["transactions"].as_array().unwrap();
    assert_eq!(shown.len(), sent.len());
    for group in sent {
        let found = shown.iter().find(|shown| shown["name"] == group["transaction"]).unwrap();
        let count = group["durations"].as_array().unwrap().len();
        assert_eq!((&found["kind"], &found["count"]), (&group["kind"], &json!(count)), "{found}");
    }
}

#[tokio::test]
async fn pages_may_send_nothing_until_their_origin_is_allowed() {
    let running = Running::start().await;
    let message = refusal(report(&running, SHOP).await).await;
    let remedy =
        format!("`opbeat app origins {}/{} --add {SHOP}` allows it", running.app.organization_id, running.app.app_id);
    assert!(message.contains(&remedy), "{message}");
    running.command(&["app", "origins", "acme/shop", "--add", "https://*.shop.example", "--add", SHOP]).await;
    assert_eq!(report(&running, SHOP).await.status(), StatusCode::ACCEPTED, "a running server notices a new origin");
    assert_eq!(report(&running, "https://www.shop.example").await.status(), StatusCode::ACCEPTED);
    for origin in ["http://shop.example", "https://evilshop.example", "null"] {
        refusal(report(&running, origin).await).await;
    }
    let broken = refusal(report(&running, "shop").await).await;
    assert!(broken.contains("The header Origin is invalid: \"shop\" is not an origin"), "{broken}");

    assert_eq!(running.command(&["app", "origins", "acme/shop", "--remove", SHOP]).await, "https://*.shop.example\n");
    // The request of an unknown origin makes the server read the list again.
    refusal(report(&running, "https://unknown.example").await).await;
    refusal(report(&running, SHOP).await).await;
    running.drained().await;
    assert_eq!(running.ask("errors/1/").await["times_seen"], 2);
}

#[tokio::test]
async fn requests_without_an_origin_or_for_other_apps_are_refused() {
    let running = allowing_shop().await;
    for method in [Method::POST, Method::OPTIONS] {
        let response = send(&running, method, "errors", HeaderMap::new(), b"{}".to_vec()).await;
        assert!(refusal(response).await.contains("The request has no header Origin"));
    }
    let other = running.server.create_app("acme", "other").await.unwrap();
    for app in [&*other.app_id, "unknown"] {
        let url = running.intake("client-side/errors").replace(&running.app.app_id, app);
        let response = running.client.post(url).header(ORIGIN, SHOP).body("{}").send().await.unwrap();
        assert!(refusal(response).await.contains("or does not exist"));
    }
    let response = send(&running, Method::GET, "errors", HeaderMap::new(), Vec::new()).await;
    assert_eq!(
        (response.status(), response.headers()["allow"].as_bytes()),
        (StatusCode::METHOD_NOT_ALLOWED, &b"POST, OPTIONS"[..])
    );
    assert_eq!(running.client.post(running.intake("errors")).header(ORIGIN, SHOP).send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn the_page_can_read_why_its_body_is_rejected() {
    let running = allowing_shop().await;
    let large = json!({"message": "a", "extra": {"padding": "a".repeat(256 << 10)}}).to_string();
    for (body, status, reason) in [
        (b"{".to_vec(), 400, "body"),
        (large.clone().into_bytes(), 413, "The body is larger than 256 KiB"),
        (zlib(&large), 413, "The body is larger than 256 KiB"),
    ] {
        let headers = [(ORIGIN, SHOP.parse().unwrap())].into_iter().collect();
        let response = send(&running, Method::POST, "errors", headers, body).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["access-control-allow-origin"], SHOP);
        let body: Value = response.json().await.unwrap();
        assert!(body["error_message"].as_str().unwrap().contains(reason), "{body}");
    }
}

#[tokio::test]
async fn the_rate_of_requests_without_a_token_is_limited_for_each_app() {
    let running = Running::start_with(|config| {
        // No permit is ever added, so that the test does not depend on time.
        config.intake.client_side_rate = 0;
        config.intake.client_side_burst = 2;
    })
    .await;
    running.server.create_app("acme", "other").await.unwrap();
    for app in ["acme/shop", "acme/other"] {
        running.command(&["app", "origins", app, "--add", "*"]).await;
    }
    for status in [StatusCode::ACCEPTED, StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS] {
        let response = report(&running, SHOP).await;
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["access-control-allow-origin"], SHOP);
        assert_eq!(response.headers().contains_key("retry-after"), status == StatusCode::TOO_MANY_REQUESTS);
    }
    let other = running.intake("client-side/errors").replace(&running.app.app_id, "other");
    let other = running.client.post(other).header(ORIGIN, SHOP).body(r#"{"message": "a"}"#).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::ACCEPTED, "another app has its own permits");
    assert_eq!(running.post("errors", r#"{"message": "a"}"#).await.status(), StatusCode::ACCEPTED, "so have servers");
}

#[tokio::test]
async fn an_error_can_be_sent_as_the_address_of_a_picture() {
    let running = allowing_shop().await;
    let data = json!({"message": "no cart & no books", "http": {"url": "https://shop.example/cart?a=b"}}).to_string();
    let url = running.intake("errors.gif");
    let get = async |referer: Option<&str>, data: Option<&str>| {
        let url = Url::parse_with_params(&url, data.map(|data| ("data", data))).unwrap();
        let mut request = running.client.get(url);
        if let Some(referer) = referer {
            request = request.header(REFERER, referer);
        }
        request.send().await.unwrap()
    };
    let picture = get(Some("https://shop.example/cart"), Some(&data)).await;
    assert_eq!((picture.status(), picture.headers()["content-type"].as_bytes()), (StatusCode::OK, &b"image/gif"[..]));
    assert_eq!(picture.headers()["cache-control"], "no-store");
    assert!(picture.headers()["location"].to_str().unwrap().contains("/acme/shop/errors/by-id/"));
    assert!(picture.bytes().await.unwrap().starts_with(b"GIF89a\x01\0\x01\0"));

    assert!(refusal(get(None, Some(&data)).await).await.contains("no header Origin"));
    assert!(refusal(get(Some("https://evil.example/"), Some(&data)).await).await.contains("https://evil.example"));
    for data in [None, Some("no json")] {
        let rejected = get(Some("https://shop.example/cart"), data).await;
        assert_eq!(rejected.status(), StatusCode::BAD_REQUEST);
        let body: Value = rejected.json().await.unwrap();
        assert!(body["error_message"].is_string(), "{body}");
    }
    running.drained().await;
    let list = running.ask("errors/").await;
    assert_eq!((&list["total"], &list["errors"][0]["message"]), (&json!(1), &json!("no cart & no books")));
}
