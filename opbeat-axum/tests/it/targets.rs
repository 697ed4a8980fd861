//! The recorded targets of requests.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use axum::routing::get;
use opbeat_axum::OpbeatLayer;
use tower::ServiceExt;

use crate::monitored;

/// Sends a request to a router whose only layer is inside of a nested one. Returns the name and the target of its
/// transaction.
async fn recorded(method: Method, target: &str) -> (String, String) {
    let (agent, exporter) = monitored();
    let cart = Router::new().route("/cart/{id}", get(async || "Emma")).layer(OpbeatLayer::new(&agent));
    let app = Router::new().nest("/shop", Router::new().nest("/{country}", cart.clone())).fallback_service(cart);
    let request = Request::builder().method(method).uri(target).body(Body::empty()).unwrap();
    drop(app.oneshot(request).await.unwrap());
    agent.flush(Duration::from_secs(30)).unwrap();
    let sample = exporter.take().samples.remove(0);
    (sample.name.to_string(), sample.request.unwrap().target().to_string())
}

#[tokio::test]
async fn a_layer_in_a_nested_router_records_the_whole_target() {
    let (name, target) = recorded(Method::GET, "/shop/is/cart/3?page=2").await;
    assert_eq!((name.as_str(), target.as_str()), ("GET /shop/{country}/cart/{id}", "/shop/is/cart/3?page=2"));
}

#[tokio::test]
async fn a_connect_has_its_authority_as_target() {
    let (name, target) = recorded(Method::CONNECT, "user:pass@example.com:443").await;
    assert_eq!((name.as_str(), target.as_str()), ("CONNECT unmatched", "example.com:443"));
}
