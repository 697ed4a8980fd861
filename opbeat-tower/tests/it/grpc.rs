use std::net::SocketAddr;
use std::time::Duration;

use opbeat_core::testing::MemoryExporter;
use opbeat_core::{Agent, Batch, Config, Outcome};
use opbeat_tower::OpbeatLayer;
use tokio::net::TcpListener;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Status};
use tonic_health::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// Serves tonic's own health service behind the layer. A service that fails as applications do stands beside it.
async fn serve(layer: OpbeatLayer<opbeat_tower::HttpClassifier, opbeat_tower::GrpcMethodName>) -> SocketAddr {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("shop.Cart", ServingStatus::Serving).await;
    let broken = tonic::service::interceptor::InterceptedService::new(health.clone(), |request: Request<()>| {
        if request.metadata().contains_key("x-broken") {
            Err(Status::internal("the shelf is broken"))
        } else {
            Ok(request)
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

/// Calls the health service, which stands for any, and so is not left out.
async fn call(service: &str, path: &'static str, is_broken: bool) -> (Option<Code>, Batch) {
    let mut config = Config::default();
    config.ignore_names.clear();
    call_with(&config, service, path, is_broken).await
}

async fn call_with(config: &Config, service: &str, path: &'static str, is_broken: bool) -> (Option<Code>, Batch) {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(config, exporter.clone());
    let address = serve(OpbeatLayer::new_for_grpc(&agent)).await;
    let channel = Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut request = Request::new(HealthCheckRequest { service: service.to_owned() });
    if is_broken {
        request.metadata_mut().insert("x-broken", "1".parse().unwrap());
    }
    let code = if path.is_empty() {
        HealthClient::new(channel).check(request).await.err().map(|status| status.code())
    } else {
        let mut client = tonic::client::Grpc::new(channel);
        client.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<HealthCheckRequest, HealthCheckResponse>::default();
        let called = client.unary(request, PathAndQuery::from_static(path), codec).await;
        called.err().map(|status: Status| status.code())
    };
    agent.flush(Duration::from_secs(30)).unwrap();
    (code, exporter.take())
}

fn told(recorded: &Batch) -> (String, String, Outcome) {
    let sample = &recorded.samples[0];
    assert_eq!((recorded.transactions(), &*sample.kind), (1, "web.grpc"));
    (sample.name.to_string(), sample.result.to_string(), sample.outcome)
}

#[tokio::test]
async fn health_checks_are_left_out() {
    let (code, recorded) = call_with(&Config::default(), "shop.Cart", "", false).await;
    assert_eq!((code, recorded.transactions()), (None, 0));
}

#[tokio::test]
async fn calls_are_told_by_their_method_and_status() {
    const CHECK: &str = "grpc.health.v1.Health/Check";
    let (code, recorded) = call("shop.Cart", "", false).await;
    assert_eq!((code, told(&recorded)), (None, (CHECK.to_owned(), "OK".to_owned(), Outcome::Ok)));
    let (code, recorded) = call("shop.Nothing", "", false).await;
    let expected = (CHECK.to_owned(), "NOT_FOUND".to_owned(), Outcome::ClientError);
    assert_eq!((code, told(&recorded)), (Some(Code::NotFound), expected));
    assert!(recorded.errors.is_empty());
}

#[tokio::test]
async fn a_fault_of_the_application_is_an_error() {
    let (code, recorded) = call("shop.Cart", "", true).await;
    assert_eq!(code, Some(Code::Internal));
    assert_eq!(told(&recorded).2, Outcome::ServerError);
    assert_eq!(recorded.errors[0].message, "INTERNAL: the shelf is broken");
}

#[tokio::test]
async fn unknown_methods_fold() {
    let (code, recorded) = call("", "/shop.Nowhere/Method17", false).await;
    let expected = ("unknown method".to_owned(), "UNIMPLEMENTED".to_owned(), Outcome::ClientError);
    assert_eq!((code, told(&recorded)), (Some(Code::Unimplemented), expected));
}
