//! The warning about a layer that wraps the whole router. It is logged once per process, so each test runs itself again
//! in a child process.

use std::convert::Infallible;
use std::process::Command;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use opbeat_axum::OpbeatLayer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_http::normalize_path::NormalizePathLayer;

use crate::monitored;

const CHILD: &str = "OPBEAT_TEST_CHILD";

/// Runs a test of this file in a child process. Returns its standard error, where warnings are written without a
/// logger.
fn stderr_of(test: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program);
    child.args([&format!("placement::{test}"), "--exact", "--nocapture"]).env(CHILD, "1");
    let output = child.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn count_warnings(stderr: &str) -> usize {
    stderr.lines().filter(|line| line.contains("Router::layer")).count()
}

fn router() -> Router {
    Router::new().route("/books", get(async || "Emma"))
}

async fn call<S, B>(service: &S, path: &str)
where
    S: Service<Request, Response = Response<B>, Error = Infallible> + Clone,
{
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    drop(service.clone().oneshot(request).await.unwrap());
}

#[test]
fn a_layer_around_a_router_warns_once() {
    if !is_child() {
        assert_eq!(count_warnings(&stderr_of("a_layer_around_a_router_warns_once")), 1);
        return;
    }
    let (agent, _exporter) = monitored();
    let layer = OpbeatLayer::new(&agent);
    let _around = [layer.layer(router()), layer.layer(router())];
    let _around = layer.layer(router().into_service::<Body>());
}

#[tokio::test]
async fn a_layer_around_a_boxed_router_warns_once() {
    if !is_child() {
        assert_eq!(count_warnings(&stderr_of("a_layer_around_a_boxed_router_warns_once")), 1);
        return;
    }
    let (agent, exporter) = monitored();
    let around = OpbeatLayer::new(&agent).layer(BoxCloneService::new(router()));
    for _ in 0..300 {
        call(&around, "/books").await;
    }
    agent.flush(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!(exporter.count("GET unmatched"), 300);
}

#[tokio::test]
async fn a_layer_inside_a_router_does_not_warn() {
    if !is_child() {
        assert_eq!(count_warnings(&stderr_of("a_layer_inside_a_router_does_not_warn")), 0);
        return;
    }
    let (agent, _exporter) = monitored();
    let app = router().layer(OpbeatLayer::new(&agent));
    call(&app, "/books").await;
    for _ in 0..300 {
        call(&app, "/scanned").await;
    }
}

#[tokio::test]
async fn an_inner_layer_passes_the_route_to_the_outer_one() {
    let (agent, exporter) = monitored();
    let layer = OpbeatLayer::new(&agent);
    let admin = Router::new().route("/users/{id}", get(async || "Ada")).layer(layer.clone());
    let app = Router::new().nest_service("/admin", admin.clone()).layer(layer.clone());
    call(&app, "/admin/users/1").await;
    let around = layer.layer(admin);
    call(&around, "/users/1").await;
    agent.flush(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!((exporter.count("GET /admin/users/{id}"), exporter.count("GET /users/{id}")), (1, 1));
}

/// The code of the guide for a layer around the whole router.
#[tokio::test]
async fn a_layer_around_a_router_is_served() {
    if !is_child() {
        assert_eq!(count_warnings(&stderr_of("a_layer_around_a_router_is_served")), 0);
        return;
    }
    let (agent, exporter) = monitored();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();

    let layer = OpbeatLayer::new(&agent);
    let router = router().layer(layer.clone());
    let app = ServiceBuilder::new()
        .map_response(IntoResponse::into_response)
        .layer(layer)
        .layer(NormalizePathLayer::trim_trailing_slash())
        .service(router);
    let app = axum::ServiceExt::<Request>::into_make_service(app);
    tokio::spawn(async { axum::serve(listener, app).await });

    client.write_all(b"GET /books/?page=2 HTTP/1.1\r\nhost: shop.example\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut response = String::new();
    client.read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK") && response.ends_with("Emma"), "{response}");
    agent.flush(std::time::Duration::from_secs(30)).unwrap();
    let sample = exporter.take().samples.remove(0);
    assert_eq!(
        (sample.name.to_string().as_str(), &*sample.request.unwrap().target()),
        ("GET /books", "/books/?page=2")
    );
}
