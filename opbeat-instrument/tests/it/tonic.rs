//! tonic: a client that its build script generated, with a channel in the layer.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::sync::mpsc::{Receiver, channel};

use futures_util::FutureExt as _;
use insta::assert_snapshot;
use opbeat_core::in_span;
use opbeat_instrument::client::ClientService;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::server::{HealthReporter, health_reporter};
use tower::ServiceBuilder;

use crate::calls::{Calls, assert_ends_between, trace_parent_of};
use crate::http_server::closed_address;
use crate::tree;

/// A server of gRPC's health checks.
struct HealthServer {
    address: String,
    reporter: HealthReporter,
    /// The header `traceparent` of each request.
    received: Receiver<Option<String>>,
}

impl HealthServer {
    async fn start() -> Self {
        let (sender, received) = channel();
        let read_header = move |request: Request<()>| {
            let header = request.metadata().get("traceparent");
            sender.send(header.map(|header| header.to_str().unwrap().to_owned())).unwrap();
            Ok::<_, Status>(request)
        };
        let (reporter, service) = health_reporter();
        reporter.set_service_status("shop", tonic_health::ServingStatus::Serving).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let layer = tonic::service::interceptor::InterceptorLayer::new(read_header);
        let server = Server::builder().layer(layer).add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Self { address, reporter, received }
    }

    fn client(&self) -> HealthClient<ClientService<Channel>> {
        client(&self.address)
    }
}

fn client(address: &str) -> HealthClient<ClientService<Channel>> {
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    HealthClient::new(ServiceBuilder::new().layer(opbeat_instrument::tonic::layer()).service(channel))
}

fn check(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

#[tokio::test]
async fn calls_are_named_after_their_methods() {
    let calls = Calls::new();
    let server = HealthServer::start().await;
    let closed = closed_address();
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        in_span("ok", "test", server.client().check(check("shop"))).await.unwrap();
        let unknown = in_span("status", "test", server.client().check(check("unknown"))).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        let refused = in_span("connect", "test", client(&closed.to_string()).check(check("shop"))).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(in_span("drop", "test", server.client().check(check("shop"))).now_or_never().is_none());
    });
    work.await;
    let sample = calls.end(transaction);
    let tree = tree::of_sample(&sample).replace(&server.address, "shop.example");
    assert_snapshot!(tree.replace(&closed.to_string(), "closed.example"), @r#"
    test ok
      ext.grpc.tonic grpc.health.v1.Health/Check · status=0
    test status
      ext.grpc.tonic grpc.health.v1.Health/Check · status=5, error=NotFound
    test connect
      ext.grpc.tonic grpc.health.v1.Health/Check · error=transport error: tcp connect error: Connection refused (os error 111)
    test drop
      ext.grpc.tonic grpc.health.v1.Health/Check · error=cancelled
    "#);
    for span in [0, 1] {
        assert_eq!(server.received.recv().unwrap(), Some(trace_parent_of(&sample, span).to_string()));
    }
}

#[tokio::test]
async fn a_call_lasts_to_the_end_of_its_stream() {
    let calls = Calls::new();
    let mut server = HealthServer::start().await;
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let mut stream = server.client().watch(check("shop")).await.unwrap().into_inner();
        assert_eq!(stream.message().await.unwrap().unwrap().status, 1);
        drop(opbeat_core::span("before its end", "test"));
        server.reporter.clear_service_status("shop").await;
        assert_eq!(stream.message().await.unwrap(), None);
        drop(opbeat_core::span("after it", "test"));
    });
    work.await;
    let sample = calls.end(transaction);
    assert_snapshot!(tree::of_sample(&sample).replace(&server.address, "shop.example"), @r#"
    ext.grpc.tonic grpc.health.v1.Health/Watch · status=0
    test before its end
    test after it
    "#);
    assert_ends_between(&sample);
}

#[tokio::test]
async fn a_call_outside_of_a_transaction_is_unchanged() {
    let calls = Calls::new();
    let server = HealthServer::start().await;
    server.client().check(check("shop")).await.unwrap();
    assert_eq!(server.received.recv().unwrap(), None);
    assert!(calls.samples().is_empty());
}
