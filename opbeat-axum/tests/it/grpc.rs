//! gRPC services among the routes of an axum application.

use std::time::Duration;

use axum::Router;
use axum::routing::post;
use opbeat_axum::{Agent, Config, OpbeatLayer, Outcome};
use opbeat_core::export::Batch;
use opbeat_testing::MemoryExporter;
use tokio::net::TcpListener;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::monitored;

const PATIENCE: Duration = Duration::from_secs(30);
const CHECK: &str = "grpc.health.v1.Health/Check";
const CHECK_PATH: &str = "/grpc.health.v1.Health/Check";
const ROUTE: &str = "POST /grpc.health.v1.Health/*";

/// Tonic's health service beside a route of axum. A header of the request makes the service fail as applications do.
async fn app() -> Router {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("shop.Cart", ServingStatus::Serving).await;
    let broken = InterceptedService::new(health, |request: Request<()>| match request.metadata() {
        metadata if metadata.contains_key("x-broken") => Err(Status::internal("the shelf is broken")),
        metadata if metadata.contains_key("x-rejected") => Err(Status::unauthenticated("who are you?")),
        _ => Ok(request),
    });
    Routes::new(broken).into_axum_router().route("/books/{id}", post(async || "a book"))
}

/// A connection to a server that records the health service like any other service.
struct Server {
    agent: Agent,
    exporter: MemoryExporter,
    channel: Channel,
}

impl Server {
    async fn start() -> Self {
        let mut config = Config::default();
        config.ignore_names.clear();
        let exporter = MemoryExporter::default();
        let agent = Agent::with_exporter(&config, exporter.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = app().await.layer(OpbeatLayer::new(&agent));
        tokio::spawn(async { axum::serve(listener, app).await });
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { agent, exporter, channel }
    }

    /// Calls the health service. A header of the request selects the result.
    async fn call(&self, path: &'static str, header: &'static str) -> (Option<Code>, Batch) {
        let mut request = Request::new(HealthCheckRequest { service: "shop.Cart".to_owned() });
        request.metadata_mut().insert(header, "1".parse().unwrap());
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default();
        let called = client.unary(request, PathAndQuery::from_static(path), codec).await;
        self.agent.flush(PATIENCE).unwrap();
        (called.err().map(|status: Status| status.code()), self.exporter.take())
    }

    async fn summary(&self, path: &'static str, header: &'static str) -> (String, String, Outcome) {
        let (_, recorded) = self.call(path, header).await;
        let sample = &recorded.samples[0];
        assert_eq!((recorded.transactions(), &*sample.kind), (1, "web.axum"));
        (sample.name.to_string(), sample.result.to_string(), sample.outcome)
    }
}

fn expected(name: &str, result: &str, outcome: Outcome) -> (String, String, Outcome) {
    (name.to_owned(), result.to_owned(), outcome)
}

#[tokio::test]
async fn calls_have_their_method_and_status() {
    let server = Server::start().await;
    assert_eq!(server.summary(CHECK_PATH, "x-none").await, expected(CHECK, "OK", Outcome::Ok));
    let (code, recorded) = server.call(CHECK_PATH, "x-broken").await;
    assert_eq!((code, recorded.errors[0].message.as_str()), (Some(Code::Internal), "INTERNAL: the shelf is broken"));
    assert_eq!(server.summary(CHECK_PATH, "x-broken").await, expected(CHECK, "INTERNAL", Outcome::ServerError));
}

#[tokio::test]
async fn calls_have_the_name_of_their_route_until_their_method_is_confirmed() {
    let server = Server::start().await;
    let rejected = |name| expected(name, "UNAUTHENTICATED", Outcome::ClientError);
    let unknown = expected(ROUTE, "UNIMPLEMENTED", Outcome::ClientError);
    assert_eq!(server.summary(CHECK_PATH, "x-rejected").await, rejected(ROUTE));
    assert_eq!(server.summary(CHECK_PATH, "x-none").await.0, CHECK);
    assert_eq!(server.summary(CHECK_PATH, "x-rejected").await, rejected(CHECK));
    assert_eq!(server.summary("/grpc.health.v1.Health/Method17", "x-none").await, unknown);
}

#[tokio::test]
async fn calls_to_unknown_services_have_one_name() {
    let server = Server::start().await;
    let unknown = expected("unknown method", "UNIMPLEMENTED", Outcome::ClientError);
    assert_eq!(server.summary("/shop.Nowhere/Method17", "x-none").await, unknown);
}

#[tokio::test]
async fn responses_of_http_confirm_no_method() {
    let server = Server::start().await;
    let expected = expected("POST /books/{id}", "200", Outcome::Ok);
    for path in ["/books/1", "/books/2", "/books/1"] {
        assert_eq!(server.summary(path, "x-none").await, expected, "{path}");
    }
}

#[tokio::test]
async fn health_checks_are_ignored() {
    let (agent, exporter) = monitored();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let channel = Channel::from_shared(format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let app = app().await.layer(OpbeatLayer::new(&agent));
    tokio::spawn(async { axum::serve(listener, app).await });
    let server = Server { agent, exporter, channel: channel.connect().await.unwrap() };
    let (code, recorded) = server.call(CHECK_PATH, "x-none").await;
    assert_eq!((code, recorded.transactions()), (None, 0));
}

#[tokio::test]
async fn other_requests_to_the_route_of_a_service_are_named_after_it() {
    use tower::ServiceExt as _;
    let (agent, exporter) = monitored();
    let app = app().await.layer(OpbeatLayer::new(&agent));
    let request = axum::http::Request::post("/grpc.health.v1.Health/Check");
    let request = request.header("content-type", "application/grpc-web").body(axum::body::Body::empty()).unwrap();
    drop(app.oneshot(request).await.unwrap());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count(ROUTE), 1);
}
