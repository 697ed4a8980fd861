//! The JSON API.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::running::Running;

#[tokio::test]
async fn every_described_route_returns_data() {
    let running = Running::start().await;
    running
        .accept(
            "transactions",
            &json!({"transactions": [{"transaction": "GET /", "result": 200, "durations": [1.0]}], "traces": {
                "groups": [
                    {"transaction": "GET /", "signature": "transaction", "kind": "transaction", "parents": []},
                    {"transaction": "GET /", "signature": "SELECT FROM books", "kind": "db.sql", "parents": ["transaction"]},
                    {"transaction": "GET /", "signature": "GET prices", "kind": "ext.http", "parents": ["transaction"]},
                ],
                "raw": [[1.0, [0, 0.0, 1.0], [1, 0.1, 0.2], [2, 0.4, 0.2], {"id": "x"}]],
            }}),
        )
        .await;
    running.accept("errors", &json!({"message": "no books", "client_supplied_id": "e1"})).await;
    running.accept("releases", &json!({"rev": "a1b2c3", "status": "completed"})).await;
    let module = json!({"module": {"name": "shop", "type": "repository"}, "version": "1.0"});
    running.accept("deployments", &json!({"machines": [{"hostname": "web-1"}], "releases": [module]})).await;
    running.drained().await;
    let described: Value = running.get("/api/v2/openapi.json").await.json().await.unwrap();
    assert_eq!(described["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    let paths = described["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 32);
    let occurrence = running.ask("errors/1/").await["occurrence"]["id"].to_string();
    let query = running.ask("queries/").await["spans"][0]["id"].to_string();
    let call = running.ask("calls/").await["spans"][0]["id"].to_string();
    let path = running.sample_paths("GET /").await[0].clone();
    let (transaction, sample) = path.trim_start_matches("/acme/shop/transactions/").split_once("/samples/").unwrap();
    for (path, _) in paths.iter().filter(|(_, operations)| operations.get("get").is_some()) {
        let path = path.replace("/api/v2/organizations/{organization}/apps/", "").replace("{app}/", "");
        let path = path.replace("{transaction}", transaction).replace("{sample}", sample).replace("{number}", "1");
        let path = path.replace("{id}", "e1").replace("{release}", "a1b2c3").replace("{machine}", "web-1");
        let path = path.replace("{query}", &query).replace("{call}", &call);
        if path.is_empty() {
            continue;
        }
        let body = running.ask(&path.replace("{occurrence}", &occurrence)).await;
        assert!(!body.is_null(), "{path}");
    }
}

#[tokio::test]
async fn a_token_reads_its_own_organization_only() {
    let running = Running::start().await;
    running
        .accept("transactions", &json!({"transactions": [{"transaction": "GET /", "durations": [1.0]}], "traces": []}))
        .await;
    running.drained().await;
    running.server.create_app("rival", "shop").await.unwrap();
    let rival = running.server.create_read_token("rival").await.unwrap();
    let get = async |path: &str, token: Option<&str>| {
        let mut request = running.client.get(format!("{}/api/v2/organizations/{path}", running.server.url()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status()
    };
    let id = running.ask("transactions/?range=1h").await["transactions"][0]["id"].clone();
    for path in [
        "acme/apps/shop/transactions/",
        &format!("acme/apps/shop/transactions/{id}/"),
        "acme/apps/shop/errors/",
        "acme/apps/shop/series/",
    ] {
        assert_eq!(get(path, Some(&rival)).await, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(get(path, None).await, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(get("acme/apps/", Some(&rival)).await, StatusCode::FORBIDDEN);
    assert_eq!(
        get(&format!("rival/apps/shop/transactions/{id}/"), Some(&rival)).await,
        StatusCode::NOT_FOUND,
        "an id of another organization gives no access"
    );
    let secret = running.app.secret_token.clone();
    assert_eq!(get("acme/apps/shop/errors/", Some(&secret)).await, StatusCode::UNAUTHORIZED, "agents cannot read");
}

#[tokio::test]
async fn invalid_parameters_are_explained() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    for (query, reason) in
        [("range=2h", "there is no range"), ("limit=1000", "request 1 to 200 rows"), ("from=soon", "is not a time")]
    {
        let url = format!("{}/api/v2/organizations/acme/apps/shop/transactions/?{query}", running.server.url());
        let response = running.client.get(url).bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        let body: Value = response.json().await.unwrap();
        assert!(body["error_message"].as_str().unwrap().contains(reason), "{body}");
    }
}

#[tokio::test]
async fn ten_thousand_transactions_are_returned_in_pages() {
    let running = Running::start().await;
    let groups: Vec<Value> =
        (0..10_000).map(|number| json!({"transaction": format!("job {number}"), "durations": [number]})).collect();
    running.accept("transactions", &json!({"transactions": groups, "traces": []})).await;
    running.drained().await;
    let list = running.ask("transactions/?limit=50&offset=100").await;
    assert_eq!((&list["total"], list["transactions"].as_array().unwrap().len()), (&json!(10_000), 50));
    assert_eq!(list["transactions"][0]["name"], "job 9899", "the greatest impact comes first");
    let page = running.page("/acme/shop/").await;
    assert_eq!(page.matches("<tr>").count(), 101, "a header and a hundred rows");
    assert!(page.contains("next"));
}

#[tokio::test]
async fn rejections_of_the_framework_have_the_same_form() {
    let running = Running::start().await;
    let token = running.server.create_read_token("acme").await.unwrap();
    let url = |path: &str| format!("{}/api/v2/organizations/acme/apps/shop/{path}", running.server.url());
    let requests = [
        (running.client.get(url("transactions/first/")), 400),
        (running.client.delete(url("errors/")), 405),
        (running.client.get(url("nothing/")), 404),
    ];
    for (request, status) in requests {
        let body: Value = request.bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        assert_eq!(body["status"], status, "{body}");
        assert!(body["error_message"].as_str().unwrap().contains("openapi.json"), "{body}");
    }
    let page = running.get("/acme/shop/transactions/first").await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(page.text().await.unwrap().contains("Invalid request"));
}
