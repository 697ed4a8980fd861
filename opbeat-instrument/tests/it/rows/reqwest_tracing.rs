//! reqwest-tracing, the middleware of reqwest-middleware.

use std::net::SocketAddr;

use axum::http::StatusCode;
use insta::assert_snapshot;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};
use reqwest_tracing::{ReqwestOtelSpanBackend, SpanBackendWithUrl, TracingMiddleware};

use super::{http_peer, secret, spans_of};

async fn spans_of_requests<B>(middleware: TracingMiddleware<B>) -> String
where
    B: ReqwestOtelSpanBackend + Send + Sync + 'static,
{
    let script: [(StatusCode, &[u8]); 2] = [(StatusCode::OK, b"a book"), (StatusCode::SERVICE_UNAVAILABLE, b"later")];
    let peer = http_peer::start(script).await;
    let refused = refused_address().await;
    let client = ClientBuilder::new(reqwest::Client::new()).with(middleware).build();
    let spans = spans_of(async {
        assert_eq!(status(&client, peer).await, Some(200));
        assert_eq!(status(&client, peer).await, Some(503));
        assert_eq!(status(&client, refused).await, None);
    });
    spans.await.replace(&peer.to_string(), "peer").replace(&refused.to_string(), "refused")
}

async fn status(client: &ClientWithMiddleware, address: SocketAddr) -> Option<u16> {
    let url = format!("http://reader:{0}@{address}/books/1?token={0}", secret());
    client.get(url).send().await.ok().map(|response| response.status().as_u16())
}

/// An address that no process listens on.
async fn refused_address() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    listener.local_addr().expect("a bound socket has an address")
}

#[tokio::test]
async fn default_backend() {
    assert_snapshot!(spans_of_requests(TracingMiddleware::default()).await, @r"
    ext.http.reqwest GET 127.0.0.1 · status=200
    ext.http.reqwest GET 127.0.0.1 ×2 · error=true, status=503
    ");
}

#[tokio::test]
async fn backend_with_urls() {
    assert_snapshot!(spans_of_requests(TracingMiddleware::<SpanBackendWithUrl>::new()).await, @r"
    ext.http.reqwest GET 127.0.0.1 · status=200
    ext.http.reqwest GET 127.0.0.1 ×2 · error=true, status=503
    ");
}
