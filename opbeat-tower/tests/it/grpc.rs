use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use http::request::Builder as HttpRequestBuilder;
use http::{Request as HttpRequest, Response, Version};
use opbeat_core::export::Batch;
use opbeat_core::record::Outcome;
use opbeat_core::{Agent, Config};
use opbeat_testing::MemoryExporter;
use opbeat_tower::{OpbeatLayer, RequestHead, route};
use tokio::net::TcpListener;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use tower::{Layer, ServiceExt, service_fn};

use crate::app::Body;
use crate::monitored;

const PATIENCE: Duration = Duration::from_secs(30);

/// Serves tonic's health service with the layer. A header of the request makes it fail as applications do.
async fn serve(layer: OpbeatLayer<opbeat_tower::HttpClassifier, opbeat_tower::GrpcMethodName>) -> SocketAddr {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("shop.Cart", ServingStatus::Serving).await;
    let broken = tonic::service::interceptor::InterceptedService::new(health.clone(), |request: Request<()>| {
        match request.metadata() {
            metadata if metadata.contains_key("x-broken") => Err(Status::internal("the shelf is broken")),
            metadata if metadata.contains_key("x-rejected") => Err(Status::unauthenticated("who are you?")),
            metadata if metadata.contains_key("x-unimplemented") => Err(Status::unimplemented("not implemented yet")),
            metadata if metadata.contains_key("x-renamed") => {
                opbeat_tower::current().set_name("shop.renamed");
                Err(Status::unimplemented(""))
            }
            _ => Ok(request),
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(
        tonic::transport::Server::builder()
            .layer(layer)
            .add_service(broken)
            .serve_with_incoming(TcpIncoming::from(listener)),
    );
    address
}

/// A connection to a server with its own layer, and the records of that layer.
struct Server {
    agent: Agent,
    exporter: MemoryExporter,
    channel: Channel,
}

impl Server {
    /// Starts a server that records the health service like any other service.
    async fn start() -> Self {
        let mut config = Config::default();
        config.ignore_names.clear();
        Self::start_with(&config).await
    }

    async fn start_with(config: &Config) -> Self {
        let exporter = MemoryExporter::default();
        let agent = Agent::with_exporter(config, exporter.clone());
        let address = serve(OpbeatLayer::new_for_grpc(&agent)).await;
        let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
        Self { agent, exporter, channel }
    }

    async fn call(&self, path: &'static str, request: Request<HealthCheckRequest>) -> (Option<Code>, Batch) {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default();
        let called = client.unary(request, PathAndQuery::from_static(path), codec).await;
        (called.err().map(|status: Status| status.code()), self.recorded())
    }

    fn recorded(&self) -> Batch {
        self.agent.flush(PATIENCE).unwrap();
        self.exporter.take()
    }

    /// Waits for the end of a call that the server ends some time after the client.
    async fn ended(&self) -> Batch {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let recorded = self.recorded();
            if !recorded.samples.is_empty() || Instant::now() > deadline {
                return recorded;
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Makes a request for a service's health. A header selects its result.
fn request(service: &str, header: Option<&'static str>) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
    if let Some(header) = header {
        request.metadata_mut().insert(header, "1".parse().unwrap());
    }
    request
}

async fn call(service: &str, path: &'static str, header: Option<&'static str>) -> (Option<Code>, Batch) {
    Server::start().await.call(path, request(service, header)).await
}

fn summary(recorded: &Batch) -> (String, String, Outcome) {
    let sample = &recorded.samples[0];
    assert_eq!((recorded.transactions(), &*sample.kind), (1, "web.grpc"));
    (sample.name.to_string(), sample.result.to_string(), sample.outcome)
}

const CHECK: &str = "grpc.health.v1.Health/Check";
const CHECK_PATH: &str = "/grpc.health.v1.Health/Check";

#[tokio::test]
async fn health_checks_are_ignored() {
    let (code, recorded) =
        Server::start_with(&Config::default()).await.call(CHECK_PATH, request("shop.Cart", None)).await;
    assert_eq!((code, recorded.transactions()), (None, 0));
}

#[tokio::test]
async fn calls_have_their_method_and_status() {
    let (code, recorded) = call("shop.Cart", CHECK_PATH, None).await;
    assert_eq!((code, summary(&recorded)), (None, (CHECK.to_owned(), "OK".to_owned(), Outcome::Ok)));
    let (code, recorded) = call("shop.Nothing", CHECK_PATH, None).await;
    let expected = (CHECK.to_owned(), "NOT_FOUND".to_owned(), Outcome::ClientError);
    assert_eq!((code, summary(&recorded)), (Some(Code::NotFound), expected));
    assert!(recorded.errors.is_empty());
}

#[tokio::test]
async fn a_failure_of_the_application_is_reported() {
    let (code, recorded) = call("shop.Cart", CHECK_PATH, Some("x-broken")).await;
    assert_eq!(code, Some(Code::Internal));
    assert_eq!(summary(&recorded).2, Outcome::ServerError);
    assert_eq!(recorded.errors[0].message, "INTERNAL: the shelf is broken");
}

#[tokio::test]
async fn unknown_methods_have_one_name() {
    let (code, recorded) = call("", "/shop.Nowhere/Method17", None).await;
    let expected = ("unknown method".to_owned(), "UNIMPLEMENTED".to_owned(), Outcome::ClientError);
    assert_eq!((code, summary(&recorded)), (Some(Code::Unimplemented), expected));
}

#[tokio::test]
async fn rejected_calls_add_no_names() {
    let server = Server::start().await;
    let scan = "/grpc.health.v1.Health/Method17";
    for (path, header, name) in [
        (scan, "x-rejected", "unknown method"),
        (CHECK_PATH, "x-rejected", "unknown method"),
        (CHECK_PATH, "x-none", CHECK),
        (CHECK_PATH, "x-rejected", CHECK),
        (scan, "x-rejected", "unknown method"),
    ] {
        let (_, recorded) = server.call(path, request("shop.Cart", Some(header))).await;
        assert_eq!(summary(&recorded).0, name, "{path} with {header}");
    }
}

#[tokio::test]
async fn an_unimplemented_method_has_a_name() {
    let (_, recorded) = call("shop.Cart", CHECK_PATH, Some("x-unimplemented")).await;
    assert_eq!(summary(&recorded), (CHECK.to_owned(), "UNIMPLEMENTED".to_owned(), Outcome::ClientError));
}

#[tokio::test]
async fn a_name_of_the_application_is_kept() {
    let (_, recorded) = call("shop.Cart", CHECK_PATH, Some("x-renamed")).await;
    assert_eq!(summary(&recorded).0, "shop.renamed");
}

#[tokio::test]
async fn an_exceeded_deadline_is_recorded() {
    let (agent, exporter) = monitored();
    let never =
        service_fn(async |_: HttpRequest<()>| std::future::pending::<Result<Response<Body>, Infallible>>().await);
    let service = OpbeatLayer::new_for_grpc(&agent).layer(never);
    let request = HttpRequest::builder().uri("/shop.Cart/Add").header("grpc-timeout", "100m").body(()).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(100), service.oneshot(request)).await.is_err());
    agent.flush(PATIENCE).unwrap();
    let expected = ("unknown method".to_owned(), "DEADLINE_EXCEEDED".to_owned(), Outcome::TimedOut);
    assert_eq!(summary(&exporter.take()), expected);
}

/// Waits for the deadline of a request to a layer that detects gRPC. Returns the name, result and outcome.
async fn detected(request: HttpRequestBuilder) -> (String, String, Outcome) {
    let (agent, exporter) = monitored();
    let never =
        service_fn(async |_: HttpRequest<()>| std::future::pending::<Result<Response<Body>, Infallible>>().await);
    let layer = OpbeatLayer::new(&agent).kind("web.grpc").detect_grpc();
    let layer = layer.route_name(|head: &RequestHead<'_>| Some(route(head.method.as_str(), "/shop.Cart/*")));
    let request = request.uri("/shop.Cart/Add").header("grpc-timeout", "1n").body(()).unwrap();
    assert!(layer.layer(never).oneshot(request).now_or_never().is_none());
    agent.flush(PATIENCE).unwrap();
    summary(&exporter.take())
}

#[tokio::test]
async fn calls_are_detected_by_their_content_type() {
    let request = |method: &str, version, content_type: &str| {
        HttpRequest::builder().method(method).version(version).header("content-type", content_type)
    };
    let call = ("POST /shop.Cart/*".to_owned(), "DEADLINE_EXCEEDED".to_owned(), Outcome::TimedOut);
    for content_type in ["application/grpc", "application/grpc+proto"] {
        assert_eq!(detected(request("POST", Version::HTTP_2, content_type)).await, call);
    }
    for request in [
        request("PUT", Version::HTTP_2, "application/grpc"),
        request("POST", Version::HTTP_11, "application/grpc"),
        request("POST", Version::HTTP_2, "application/grpc-web+proto"),
    ] {
        let (_, result, outcome) = detected(request).await;
        assert_eq!((result.as_str(), outcome), ("client_gone", Outcome::ClientGone));
    }
}

#[tokio::test]
async fn a_stream_is_cancelled_if_its_client_disconnects() {
    let server = Server::start().await;
    let mut client = HealthClient::new(server.channel.clone());
    let mut states = client.watch(request("shop.Cart", None)).await.unwrap().into_inner();
    assert!(states.message().await.unwrap().is_some());
    drop(states);
    let expected = ("grpc.health.v1.Health/Watch".to_owned(), "CANCELLED".to_owned(), Outcome::ClientGone);
    assert_eq!(summary(&server.ended().await), expected);
}
