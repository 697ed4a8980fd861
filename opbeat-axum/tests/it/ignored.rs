use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use opbeat_axum::{Agent, Config, OpbeatLayer};
use opbeat_testing::MemoryExporter;
use tower::ServiceExt;

#[tokio::test]
async fn requests_are_ignored_by_user_agent() {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default().ignore_user_agent("probe/*"), exporter.clone());
    let router = Router::new().route("/", get(async || "hello")).layer(OpbeatLayer::new(&agent));
    for user_agent in ["Probe/1.0", "Firefox"] {
        let request = Request::get("/").header("user-agent", user_agent).body(Body::empty()).unwrap();
        axum::body::to_bytes(router.clone().oneshot(request).await.unwrap().into_body(), 100).await.unwrap();
    }
    agent.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(exporter.count("GET /"), 1);
    assert_eq!(exporter.samples()[0].request.as_ref().unwrap().header("user-agent"), Some("Firefox"));
}
