use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use opbeat_axum::{Current, OpbeatLayer};
use tower::ServiceExt;

use crate::monitored;

async fn named(Current(transaction): Current) -> &'static str {
    transaction.set_name("shop.named");
    if transaction.is_recording() { "recorded" } else { "not recorded" }
}

async fn call(router: Router) -> String {
    let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn handlers_extract_their_transaction() {
    let (agent, exporter) = monitored();
    let router = Router::new().route("/", get(named)).layer(OpbeatLayer::new(&agent));
    assert_eq!(call(router).await, "recorded");
    agent.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(exporter.count("shop.named"), 1);
}

#[tokio::test]
async fn without_a_layer_the_extracted_handle_does_nothing() {
    assert_eq!(call(Router::new().route("/", get(named))).await, "not recorded");
}

#[tokio::test]
async fn a_second_layer_adds_nothing() {
    let (agent, exporter) = monitored();
    let router = Router::new().route("/", get(named));
    let router = router.layer(OpbeatLayer::new(&agent)).layer(OpbeatLayer::new(&agent));
    assert_eq!(call(router).await, "recorded");
    agent.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(exporter.count("shop.named"), 1);
}
