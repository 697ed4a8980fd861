//! `awc` with the middleware.

use std::time::Duration;

use awc::Client;
use awc::middleware::Redirect;
use futures_util::StreamExt as _;
use insta::assert_snapshot;
use opbeat_core::in_span;
use opbeat_instrument::awc::Middleware;

use crate::calls::{Calls, assert_ends_between, trace_parent_of};
use crate::http_server::{HEAD, HttpServer, INVALID, MOVED, NOT_FOUND, OK, Part, closed_address, silent, slow};
use crate::tree;

fn client() -> Client {
    Client::builder().wrap(Middleware::new()).finish()
}

#[actix_rt::test]
async fn a_call_lasts_to_the_end_of_its_body() {
    let calls = Calls::new();
    let (response, opener) = slow();
    let server = HttpServer::start_with(vec![response]);
    let transaction = calls.begin();
    let body = transaction.wrap(async {
        let mut response = client().get(server.url("/books/42")).send().await.unwrap();
        let start = response.next().await.unwrap().unwrap();
        drop(opbeat_core::span("before its end", "test"));
        drop(opener);
        let end = response.body().await.unwrap();
        drop(opbeat_core::span("after it", "test"));
        [start, end].concat()
    });
    assert_eq!(body.await, b"19.5");
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    ext.http.awc GET prices.example · method=GET, url=http://prices.example/books/42, status=200
    test before its end
    test after it
    "#);
    assert_ends_between(&sample);
    assert_eq!(server.received("traceparent"), Some(trace_parent_of(&sample, 0).to_string()));
}

#[actix_rt::test]
async fn each_redirect_is_a_span_unless_the_middleware_is_outside() {
    let calls = Calls::new();
    let server = HttpServer::start([MOVED, OK, MOVED, OK, HEAD]);
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let mut response =
            in_span("inside", "test", async { client().get(server.url("/inside")).send().await }).await.unwrap();
        assert_eq!(response.body().await.unwrap(), "19.5");
        let builder = Client::builder().disable_redirects().wrap(Redirect::new());
        let outside = builder.wrap(Middleware::new()).finish().get(server.url("/outside"));
        let mut response = in_span("outside", "test", async { outside.send().await }).await.unwrap();
        assert_eq!(response.body().await.unwrap(), "19.5");
        let frozen = client().head(server.url("/frozen")).freeze().unwrap();
        frozen.send().await.unwrap();
    });
    work.await;
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    test inside
      ext.http.awc GET prices.example ×2 · method=GET, url=http://prices.example/inside, status=302
    test outside
      ext.http.awc GET prices.example · method=GET, url=http://prices.example/outside, status=200
    ext.http.awc HEAD prices.example · method=HEAD, url=http://prices.example/frozen, status=200
    "#);
    // The second request is combined with the first, so its id is not in the record.
    let received = [(); 5].map(|()| server.received("traceparent").unwrap());
    let sent = [0, 1, 1, 2].map(|call| trace_parent_of(&sample, call).to_string());
    assert_eq!([&received[0], &received[2], &received[3], &received[4]], sent.each_ref());
    assert_eq!((received[0] == received[1], received[0][..36] == received[1][..36]), (false, true));
}

#[actix_rt::test]
async fn failures_are_shown() {
    let calls = Calls::new();
    let (silent, _opener) = silent();
    let [missing, invalid] = [NOT_FOUND, INVALID].map(|text| vec![Part::Text(text)]);
    let server = HttpServer::start_with(vec![missing, invalid, silent]);
    let closed = closed_address();
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let get = async |url: String| {
            let sent = client().get(url).timeout(Duration::from_millis(100)).send().await;
            sent.map_err(|error| error.to_string())?.body().await.map_err(|error| error.to_string())
        };
        assert_eq!(in_span("status", "test", get(server.url("/missing"))).await.unwrap(), "no");
        in_span("body", "test", get(server.url("/invalid"))).await.unwrap_err();
        in_span("timeout", "test", get(server.url("/silent"))).await.unwrap_err();
        in_span("connect", "test", get(format!("http://{closed}/?token=secret"))).await.unwrap_err();
    });
    work.await;
    let tree = tree::of_sample(&calls.end(transaction));
    assert_snapshot!(server.shown(&tree).replace(&closed.to_string(), "closed.example"), @r#"
    test status
      ext.http.awc GET prices.example · method=GET, url=http://prices.example/missing, status=404, error=HTTP 404
    test body
      ext.http.awc GET prices.example · method=GET, url=http://prices.example/invalid, status=200, error=payload reached EOF before completing: Some(Custom { kind: InvalidInput, error: "Invalid chunk size line: Invalid size first-byte" })
    test timeout
      ext.http.awc GET prices.example · method=GET, url=http://prices.example/silent, error=cancelled
    test connect
      ext.http.awc GET closed.example · method=GET, url=http://closed.example/, error=Failed to connect to host: Connection refused (os error 111)
    "#);
}

#[actix_rt::test]
async fn a_call_outside_of_a_transaction_is_unchanged() {
    let calls = Calls::new();
    let server = HttpServer::start([OK]);
    assert_eq!(client().get(server.url("/")).send().await.unwrap().body().await.unwrap(), "19.5");
    assert_eq!(server.received("traceparent"), None);
    assert!(calls.samples().is_empty());
}
