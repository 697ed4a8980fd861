//! What the developer is told when the layer lies around the router: once in a process, so that each test runs in one of its
//! own, which is this test once more.

use std::convert::Infallible;
use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::response::Response;
use axum::routing::get;
use opbeat_axum::OpbeatLayer;
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt};

use crate::monitored;

const CHILD: &str = "OPBEAT_TEST_CHILD";

/// Runs a test of this file in a process of its own. Returns what it said on the terminal, where there is no logger.
fn said_by(test: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args([&format!("outside::{test}"), "--exact", "--nocapture"]).env(CHILD, "1");
    let output = child.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn warnings(said: &str) -> usize {
    said.lines().filter(|line| line.contains("Router::layer")).count()
}

fn router() -> Router {
    Router::new().route("/books", get(async || "Emma"))
}

async fn ask<S, B>(service: &S, path: &str)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
{
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    drop(service.clone().oneshot(request).await.unwrap());
}

#[test]
fn a_layer_around_a_router_says_so_once() {
    if !is_child() {
        assert_eq!(warnings(&said_by("a_layer_around_a_router_says_so_once")), 1);
        return;
    }
    let (agent, _exporter) = monitored();
    let layer = OpbeatLayer::new(&agent);
    let _around = [layer.layer(router()), layer.layer(router())];
    let _around = layer.layer(router().into_service::<Body>());
}

#[tokio::test]
async fn a_layer_around_a_boxed_router_says_so_once() {
    if !is_child() {
        assert_eq!(warnings(&said_by("a_layer_around_a_boxed_router_says_so_once")), 1);
        return;
    }
    let (agent, exporter) = monitored();
    let around = OpbeatLayer::new(&agent).layer(BoxCloneService::new(router()));
    for _ in 0..300 {
        ask(&around, "/books").await;
    }
    agent.flush(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!(exporter.count("GET unmatched"), 300);
}

#[tokio::test]
async fn a_layer_within_a_router_says_nothing() {
    if !is_child() {
        assert_eq!(warnings(&said_by("a_layer_within_a_router_says_nothing")), 0);
        return;
    }
    let (agent, _exporter) = monitored();
    let app = router().layer(OpbeatLayer::new(&agent));
    ask(&app, "/books").await;
    for _ in 0..300 {
        ask(&app, "/scanned").await;
    }
}

#[tokio::test]
async fn a_layer_inside_tells_the_route_to_one_outside() {
    let (agent, exporter) = monitored();
    let layer = OpbeatLayer::new(&agent);
    let admin = Router::new().route("/users/{id}", get(async || "Ada")).layer(layer.clone());
    let app = Router::new().nest_service("/admin", admin.clone()).layer(layer.clone());
    ask(&app, "/admin/users/1").await;
    let around = layer.layer(admin);
    ask(&around, "/users/1").await;
    agent.flush(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!((exporter.count("GET /admin/users/{id}"), exporter.count("GET /users/{id}")), (1, 1));
}
