//! The pages.

use reqwest::StatusCode;
use serde_json::json;

use crate::running::{Running, sign_in_by_link};

/// Returns the text of the main part, without tags. The `head` contains a path that changes with the version.
pub(crate) fn text(page: &str) -> String {
    let main = page.split_once("<main id=\"content\">").unwrap().1.split_once("</main>").unwrap().0;
    let mut text = String::new();
    let mut is_tag = false;
    for character in main.chars() {
        match character {
            '<' => {
                is_tag = true;
                text.push(' ');
            }
            '>' => is_tag = false,
            _ if !is_tag => text.push(character),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn with_traffic() -> Running {
    let running = Running::start().await;
    send_traffic(&running).await;
    running
}

/// Sends transactions, a sample and an error.
pub(crate) async fn send_traffic(running: &Running) {
    let group = |signature: &str, kind: &str, parents: &[&str]| json!({"transaction": "GET /books/{id}", "transaction_kind": "web.axum", "signature": signature, "kind": kind, "parents": parents, "extra": {"sql": "SELECT title"}});
    running.accept("transactions", &json!({
        "transactions": [
            {"transaction": "GET /books/{id}", "kind": "web.axum", "result": 200, "durations": [10.0, 20.0, 30.0]},
            {"transaction": "GET /books/{id}", "kind": "web.axum", "result": 500, "durations": [40.0]},
        ],
        "traces": {
            "groups": [group("transaction", "transaction", &[]), group("render", "template", &["transaction"]), group("SELECT FROM books", "db.sqlite.query", &["transaction", "render"])],
            "raw": [[40.0, [0, 0.0, 40.0], [1, 5.0, 30.0], [2, 10.0, 20.0], {"id": "t1", "result": 500, "outcome": "server_error", "http": {"method": "GET", "url": "http://shop.example/books/1", "headers": {"accept": "*/*"}}}]],
        },
    })).await;
    running.accept("errors", &json!({
        "message": "CartError: <script>alert(1)</script>",
        "exception": {"type": "CartError", "value": "<script>alert(1)</script>", "causes": [{"type": "Timeout", "value": "the bank is closed"}]},
        "culprit": "shop::cart::buy",
        "stacktrace": {"frames": [
            {"filename": "tokio/src/task.rs", "lineno": 7, "function": "tokio::poll", "in_app": false},
            {"filename": "shop/src/cart.rs", "lineno": 42, "function": "shop::cart::buy", "in_app": true, "pre_context": ["fn buy() {"], "context_line": "    pay()?;", "post_context": ["}"]},
        ]},
        "transaction": {"id": "t1", "name": "GET /books/{id}", "kind": "web.axum", "result": 500},
        "http": {"method": "GET", "url": "javascript:alert(1)", "headers": {"cookie": "session=abc123"}},
    })).await;
    running.drained().await;
}

#[tokio::test]
async fn an_empty_server_explains_how_to_create_an_app() {
    let folder = tempfile::tempdir().unwrap();
    let config = opbeat_server::ServerConfig::new(folder.path(), "127.0.0.1:0".parse().unwrap());
    let server = opbeat_server::Server::start(config).await.unwrap();
    let cookie = sign_in_by_link(&server).await;
    let request = reqwest::Client::new().get(server.url()).header("cookie", cookie);
    let page = request.send().await.unwrap().text().await.unwrap();
    insta::assert_snapshot!(text(&page), @"Create your first app An app is one web application that reports here. This command creates it and prints the environment variables that the application needs: opbeat app create acme/shop Run it on the machine of this server, with the same --data folder.");
}

#[tokio::test]
async fn dropped_data_is_shown_with_its_reasons() {
    let running = Running::start().await;
    let body = |drops| json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [1.0]}], "traces": [], "drops": drops});
    running.accept("transactions", &body(json!({"errors": 12, "spans": 3, "unknown": 4}))).await;
    running.accept("transactions", &body(json!({"errors": 1_000, "samples": 0}))).await;
    running.drained().await;
    let list = text(&running.page("/acme/shop/").await);
    assert!(
        list.contains(
            "Data was dropped in this time range: \
             1 012 errors: too many different errors occurred at once, or the agent could not reach this server \
             for long 3 spans: a transaction or a trace had too many spans, or the transaction of spans did not arrive \
             within an hour"
        ),
        "{list}"
    );
    let list = running.ask("transactions/").await;
    assert_eq!(list["drops"][0]["reason"], "errors");
    assert_eq!(list["drops"][0]["count"], 1_012);
    assert_eq!(list["drops"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_sample_shows_its_waits_and_its_trace() {
    let running = Running::start().await;
    let group = json!({"transaction": "GET /", "signature": "transaction", "kind": "transaction"});
    let sample = |context| json!([40.0, [0, 0.0, 40.0], context]);
    let parent = json!({"id": "t1", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "queued_ms": 12.0, "head_ms": 30.0, "busy_ms": 4.0});
    let child = json!({"id": "t2", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "parent": "t1"});
    running
        .accept(
            "transactions",
            &json!({
                "transactions": [{"transaction": "GET /", "result": 200, "durations": [40.0, 40.0]}],
                "traces": {"groups": [group], "raw": [sample(parent), sample(child)]},
            }),
        )
        .await;
    running.drained().await;
    let paths = running.sample_paths("GET /").await;
    let pages = [running.page(&paths[0]).await, running.page(&paths[1]).await];
    let parent = usize::from(!text(&pages[0]).contains("queued"));
    let page = text(&pages[parent]);
    assert!(
        page.contains(
            "queued 12.0 ms before the application, by the proxy's header \
             response head 30.0 ms status and headers were ready busy 4.00 ms the rest is waiting"
        ),
        "{page}"
    );
    assert!(pages[1 - parent].contains(&format!("{}\"", paths[parent])), "it links to its parent");
}

#[tokio::test]
async fn transactions_show_durations_and_failures() {
    let running = with_traffic().await;
    let apps = text(&running.page("/").await);
    assert!(apps.contains("acme / shop") && apps.contains("failed 25 %") && apps.contains("open errors 1"), "{apps}");
    let list = text(&running.page("/acme/shop/").await);
    assert!(list.contains("average 25.0 ms") && list.contains("failed 25 % 1 of 4"), "{list}");
    assert!(list.contains("GET /books/{id} web.axum 100 % 25.0 ms"), "{list}");
    let one = text(&running.page(&running.transaction_path("GET /books/{id}").await).await);
    assert!(one.contains("db.sqlite.query 50 % ") && one.contains("template 25 % ") && one.contains("app"), "{one}");
    let sample = text(&running.page(&running.sample_paths("GET /books/{id}").await[0]).await);
    assert!(
        sample.contains("SELECT FROM books db.sqlite.query 20.0 ms") && sample.contains("sql SELECT title"),
        "{sample}"
    );
    assert!(sample.contains("GET http://shop.example/books/1"), "{sample}");
}

#[tokio::test]
async fn errors_show_their_cause_their_stack_and_their_transaction() {
    let running = with_traffic().await;
    let list = text(&running.page("/acme/shop/errors/").await);
    assert!(list.contains("CartError &lt;script&gt;alert(1)&lt;/script&gt; E#1 · shop::cart::buy 1"), "{list}");
    let page = running.page("/acme/shop/errors/1/").await;
    assert!(!page.contains("<script"), "values of agents are escaped");
    assert!(!page.contains("href=\"javascript"), "a URL of an agent is not a link");
    assert!(!page.contains("abc123"), "secrets are not shown");
    let path = &running.sample_paths("GET /books/{id}").await[0];
    assert!(page.contains(path), "it links to the transaction in which it occurred");
    let page = text(&page);
    assert!(page.contains("Caused by Timeout the bank is closed"), "{page}");
    assert!(page.contains("shop::cart::buy shop/src/cart.rs:42 41 fn buy() { 42 pay()?; 43 }"), "{page}");
    assert!(page.contains("1 call in libraries"), "{page}");
}

#[tokio::test]
async fn missing_pages_link_to_the_list_of_apps() {
    let running = Running::start().await;
    for path in ["/nobody/nothing/", "/acme/shop/transactions/7", "/acme/shop/errors/7/", "/acme/shop/what/is/this"] {
        let response = running.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert!(response.text().await.unwrap().contains("Show all apps"), "{path}");
    }
    assert_eq!(
        running.get("/acme/shop/?range=2h").await.status(),
        StatusCode::OK,
        "without data, every range shows the page without data"
    );
}

#[tokio::test]
async fn pages_load_resources_of_this_server_only() {
    let running = with_traffic().await;
    let response = running.get("/acme/shop/").await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    let page = response.text().await.unwrap();
    assert!(!page.contains(" style=\"") && !page.contains("<script"), "the policy forbids both");
    let style = page.split_once("rel=\"stylesheet\" href=\"").unwrap().1.split_once('"').unwrap().0;
    let style = running.get(style).await;
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_performance_page_points_to_refused_bodies() {
    let running = Running::start().await;
    assert_eq!(running.post("errors", "[]").await.status(), StatusCode::BAD_REQUEST);
    // A stop stores the counts.
    let running = running.restart().await;
    running.drained().await;
    let page = text(&running.page("/acme/shop/").await);
    assert!(page.contains("Data was refused , "), "{page}");
    running
        .accept("transactions", &json!({"transactions": [{"transaction": "GET /", "durations": [1.0]}], "traces": []}))
        .await;
    assert_eq!(running.post("errors", "[]").await.status(), StatusCode::BAD_REQUEST);
    let running = running.restart().await;
    running.drained().await;
    let page = running.page("/acme/shop/?range=6h").await;
    assert!(text(&page).contains("30d 2 bodies were refused in this time range: see Intake average"), "{page}");
    assert!(page.contains("/acme/shop/intake/?range=6h"), "the link keeps the range: {page}");
    let page = running.page("/acme/shop/?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z").await;
    assert!(!page.contains("refused"), "{page}");
}
