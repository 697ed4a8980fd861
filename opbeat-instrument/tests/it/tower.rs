//! hyper-util's client in the layer.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::error::Error;
use std::future::{Ready, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::{self, Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use insta::assert_snapshot;
use opbeat_core::in_span;
use opbeat_core::record::TraceParent;
use opbeat_instrument::client::{ClientLayer, ClientService};
use tower::retry::Policy;
use tower::timeout::TimeoutLayer;
use tower::{Layer, ServiceBuilder, ServiceExt};

use crate::calls::{Calls, assert_ends_between, trace_parent_of};
use crate::http_server::{BUSY, HEAD, HttpServer, NOT_FOUND, OK, TRUNCATED, closed_address, silent, slow};
use crate::tree;

fn client() -> ClientService<Client<HttpConnector, Empty<Bytes>>> {
    ClientLayer::new("hyper").downcast::<legacy::Error>().layer(plain_client())
}

fn plain_client() -> Client<HttpConnector, Empty<Bytes>> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn get(url: &str) -> Request<Empty<Bytes>> {
    Request::get(url).body(Empty::new()).unwrap()
}

#[tokio::test]
async fn a_call_lasts_to_the_end_of_its_body() {
    let calls = Calls::new();
    let (response, opener) = slow();
    let server = HttpServer::start_with(vec![response]);
    let transaction = calls.begin();
    let body = transaction.wrap(async {
        let mut body = client().oneshot(get(&server.url("/books/42"))).await.unwrap().into_body();
        let start = body.frame().await.unwrap().unwrap().into_data().unwrap();
        drop(opbeat_core::span("before its end", "test"));
        drop(opener);
        let end = body.frame().await.unwrap().unwrap().into_data().unwrap();
        drop(opbeat_core::span("after it", "test"));
        [start, end].concat()
    });
    assert_eq!(body.await, b"19.5");
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    ext.http.hyper GET prices.example · method=GET, url=http://prices.example/books/42, status=200
    test before its end
    test after it
    "#);
    assert_ends_between(&sample);
    assert_eq!(server.received("traceparent"), Some(trace_parent_of(&sample, 0).to_string()));
}

#[tokio::test]
async fn a_response_without_a_body_ends_at_its_head() {
    let calls = Calls::new();
    let server = HttpServer::start([HEAD]);
    let transaction = calls.begin();
    let response = transaction.wrap(async {
        let request = Request::head(server.url("/books")).body(Empty::new()).unwrap();
        drop(opbeat_core::span("before its end", "test"));
        let response = client().oneshot(request).await.unwrap();
        drop(opbeat_core::span("after it", "test"));
        response
    });
    let response = response.await;
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    test before its end
    ext.http.hyper HEAD prices.example · method=HEAD, url=http://prices.example/books, status=200
    test after it
    "#);
    assert_ends_between(&sample);
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_call_ends_when_its_body_is_dropped() {
    let calls = Calls::new();
    let (response, _opener) = slow();
    let server = HttpServer::start_with(vec![response]);
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let response = client().oneshot(get(&server.url("/books"))).await.unwrap();
        drop(opbeat_core::span("before its end", "test"));
        drop(response);
        drop(opbeat_core::span("after it", "test"));
    });
    work.await;
    let sample = calls.end(transaction);
    assert_ends_between(&sample);
}

#[tokio::test]
async fn failures_are_shown() {
    let calls = Calls::new();
    let (response, _opener) = silent();
    let mut responses: Vec<_> = [NOT_FOUND, TRUNCATED].map(|text| vec![crate::http_server::Part::Text(text)]).into();
    responses.push(response);
    let server = HttpServer::start_with(responses);
    let closed = closed_address();
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let missing = async {
            let response = client().oneshot(get(&server.url("/missing"))).await.unwrap();
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "no");
        };
        in_span("status", "test", missing).await;
        let truncated = async {
            let response = client().oneshot(get(&server.url("/truncated"))).await.unwrap();
            response.into_body().collect().await.unwrap_err();
        };
        in_span("body", "test", truncated).await;
        let limited = ServiceBuilder::new().layer(ClientLayer::new("hyper"));
        let limited = limited.layer(TimeoutLayer::new(Duration::from_millis(1))).service(plain_client());
        let timeout = in_span("timeout", "test", limited.oneshot(get(&server.url("/timeout"))));
        timeout.await.map(drop).unwrap_err();
        let refused = client().oneshot(get(&format!("http://{closed}/?token=secret")));
        in_span("connect", "test", refused).await.map(drop).unwrap_err();
        let cancelled = in_span("drop", "test", client().oneshot(get(&server.url("/cancelled"))));
        assert!(cancelled.now_or_never().is_none());
    });
    work.await;
    let tree = tree::of_sample(&calls.end(transaction));
    assert_snapshot!(server.shown(&tree).replace(&closed.to_string(), "closed.example"), @r#"
    test status
      ext.http.hyper GET prices.example · method=GET, url=http://prices.example/missing, status=404, error=HTTP 404
    test body
      ext.http.hyper GET prices.example · method=GET, url=http://prices.example/truncated, status=200, error=error reading a body from connection
    test timeout
      ext.http.hyper GET prices.example · method=GET, url=http://prices.example/timeout, error=request timed out
    test connect
      ext.http.hyper GET closed.example · method=GET, url=http://closed.example/, error=client error (Connect): tcp connect error: Connection refused (os error 111)
    test drop
      ext.http.hyper GET prices.example · method=GET, url=http://prices.example/cancelled, error=cancelled
    "#);
}

/// Repeats requests whose response has the status 503.
#[derive(Clone)]
struct Repeat;

impl<B, E: Error> Policy<Request<Empty<Bytes>>, Response<B>, E> for Repeat {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<Empty<Bytes>>, result: &mut Result<Response<B>, E>) -> Option<Ready<()>> {
        result.as_ref().is_ok_and(|response| response.status() == StatusCode::SERVICE_UNAVAILABLE).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Empty<Bytes>>) -> Option<Request<Empty<Bytes>>> {
        Some(request.clone())
    }
}

#[tokio::test]
async fn retries_are_counted() {
    let calls = Calls::new();
    let server = HttpServer::start([BUSY, BUSY, OK, OK]);
    let layer = || ClientLayer::new("hyper").downcast::<legacy::Error>();
    let client = ServiceBuilder::new().layer(layer()).retry(Repeat).layer(layer()).service(plain_client());
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        for path in ["/busy", "/idle"] {
            let response = in_span(path, "test", client.clone().oneshot(get(&server.url(path)))).await.unwrap();
            assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "19.5");
        }
    });
    work.await;
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    test /busy
      ext.http.hyper GET prices.example · method=GET, url=http://prices.example/busy, status=200, retries=2
    test /idle
      ext.http.hyper GET prices.example · method=GET, url=http://prices.example/idle, status=200
    "#);
    for span in [0, 0, 0, 1] {
        assert_eq!(server.received("traceparent"), Some(trace_parent_of(&sample, span).to_string()));
    }
}

#[tokio::test]
async fn the_trace_is_passed_on() {
    let calls = Calls::new();
    let server = HttpServer::start([OK, OK, OK, OK]);
    let transaction = calls.begin();
    let parent = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    transaction.set_trace_parent(parent);
    transaction.set_trace_state("rojo=1");
    transaction.set_baggage("tenant=ada");
    let work = transaction.wrap(async {
        client().oneshot(get(&server.url("/"))).await.unwrap();
        let mut own = get(&server.url("/"));
        own.headers_mut().insert("traceparent", "00-own".parse().unwrap());
        in_span("own", "test", client().oneshot(own)).await.unwrap();
        let _hides = opbeat_core::span("PutObject", "ext.aws").leaf();
        client().oneshot(get(&server.url("/"))).await.unwrap();
    });
    work.await;
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    ext.http.hyper GET prices.example · method=GET, url=http://prices.example/, status=200
    test own
      ext.http.hyper GET prices.example · method=GET, url=http://prices.example/, status=200
    ext.aws PutObject
    "#);
    let sent = TraceParent { trace_id: parent.trace_id, ..trace_parent_of(&sample, 0) };
    assert_eq!(server.received("traceparent"), Some(sent.to_string()));
    assert_eq!(server.received("traceparent").as_deref(), Some("00-own"));
    let hidden = TraceParent { trace_id: parent.trace_id, ..trace_parent_of(&sample, 2) };
    assert_eq!(server.received("traceparent"), Some(hidden.to_string()), "the call is part of the leaf");
}

#[tokio::test]
async fn trace_state_and_baggage_are_passed_on() {
    let calls = Calls::new();
    let server = HttpServer::start([OK, OK, OK, OK]);
    let transaction = calls.begin();
    transaction.set_trace_parent(TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    transaction.set_trace_state("rojo=1");
    transaction.set_baggage("tenant=ada");
    let work = transaction.wrap(async {
        client().oneshot(get(&server.url("/"))).await.unwrap();
        client().oneshot(get(&server.url("/"))).await.unwrap();
        for _ in 0..2 {
            let mut own = get(&server.url("/"));
            own.headers_mut().insert("tracestate", "own=1".parse().unwrap());
            own.headers_mut().insert("baggage", "tenant=own".parse().unwrap());
            client().oneshot(own).await.unwrap();
        }
    });
    work.await;
    assert_eq!(server.received("tracestate").as_deref(), Some("rojo=1"));
    assert_eq!(server.received("baggage").as_deref(), Some("tenant=ada"));
    assert_eq!(server.received("tracestate").as_deref(), Some("own=1"));
    assert_eq!(server.received("baggage").as_deref(), Some("tenant=own"));
}

#[tokio::test]
async fn a_call_outside_of_a_transaction_is_unchanged() {
    let calls = Calls::new();
    let server = HttpServer::start([OK]);
    let request = Request::builder().method(Method::GET).uri(server.plain_url("/")).body(Empty::new()).unwrap();
    let response = client().oneshot(request).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "19.5");
    assert_eq!(server.received("traceparent"), None);
    assert!(calls.samples().is_empty());
}
