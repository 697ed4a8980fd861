//! reqwest: call sites, and a client with the middleware.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::pin::Pin;
use std::time::Duration;

use insta::assert_snapshot;
use opbeat_core::in_span;
use opbeat_instrument::reqwest::{ClientExt, RequestBuilderExt, middleware};
use reqwest::{Client, Request, Response, StatusCode};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Next};

use crate::calls::{Calls, assert_ends_between, trace_parent_of};
use crate::http_server::{BUSY, HEAD, HttpServer, MOVED, NOT_FOUND, OK, Part, TRUNCATED, closed_address, silent, slow};
use crate::tree;

fn recorded_client() -> ClientWithMiddleware {
    ClientBuilder::new(Client::new()).with(middleware).build()
}

#[tokio::test]
async fn a_call_lasts_to_the_end_of_its_body() {
    let calls = Calls::new();
    let (response, opener) = slow();
    let server = HttpServer::start_with(vec![response]);
    let transaction = calls.begin();
    let body = transaction.wrap(async {
        let mut response = Client::new().get(server.url("/books/42")).send_recorded().await.unwrap();
        assert_eq!((response.url().path(), response.content_length()), ("/books/42", Some(4)));
        assert!(response.remote_addr().is_some());
        let start = response.chunk().await.unwrap().unwrap();
        drop(opbeat_core::span("before its end", "test"));
        drop(opener);
        let end = response.bytes().await.unwrap();
        drop(opbeat_core::span("after it", "test"));
        [start, end].concat()
    });
    assert_eq!(body.await, b"19.5");
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/books/42, status=200
    test before its end
    test after it
    "#);
    assert_ends_between(&sample);
    assert_eq!(server.received("traceparent"), Some(trace_parent_of(&sample, 0).to_string()));
}

#[tokio::test]
async fn redirects_are_one_span() {
    let calls = Calls::new();
    let server = HttpServer::start([MOVED, OK, HEAD]);
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let response = Client::new().get(server.url("/books/42")).send_recorded().await.unwrap();
        assert_eq!(response.url().path(), "/books/43", "the URL is that of the last request");
        assert_eq!(response.text().await.unwrap(), "19.5");
        let request = Client::new().head(server.url("/books")).build().unwrap();
        Client::new().execute_recorded(request).await.unwrap();
    });
    work.await;
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/books/42, status=200
    ext.http.reqwest HEAD prices.example · method=HEAD, url=http://prices.example/books, status=200
    "#);
    for span in [0, 0, 1] {
        assert_eq!(server.received("traceparent"), Some(trace_parent_of(&sample, span).to_string()));
    }
}

#[tokio::test]
async fn failures_are_shown() {
    let calls = Calls::new();
    let ((silent, _opener), (slow, _other)) = (silent(), slow());
    let [missing, truncated] = [NOT_FOUND, TRUNCATED].map(|text| vec![Part::Text(text)]);
    let server = HttpServer::start_with(vec![missing, truncated, slow, silent]);
    let closed = closed_address();
    let client = recorded_client();
    let timeout = Duration::from_millis(100);
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        let response = in_span("status", "test", client.get(server.url("/missing")).send()).await.unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let get = async |url: String| -> reqwest_middleware::Result<_> {
            client.get(url).timeout(timeout).send().await?.bytes().await.map_err(Into::into)
        };
        let truncated = in_span("body", "test", get(server.url("/truncated"))).await.unwrap_err();
        assert!(truncated.is_body() || truncated.is_decode(), "{truncated:?}");
        let slow = in_span("slow body", "test", get(server.url("/slow"))).await.unwrap_err();
        assert!(slow.is_timeout(), "{slow:?}");
        let silent = in_span("timeout", "test", get(server.url("/silent"))).await.unwrap_err();
        assert!(silent.is_timeout(), "{silent:?}");
        let refused = in_span("connect", "test", get(format!("http://{closed}/?token=secret"))).await.unwrap_err();
        assert!(refused.is_connect(), "{refused:?}");
    });
    work.await;
    let tree = tree::of_sample(&calls.end(transaction));
    assert_snapshot!(server.shown(&tree).replace(&closed.to_string(), "closed.example"), @r#"
    test status
      ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/missing, status=404, error=HTTP 404
    test body
      ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/truncated, status=200, error=request or response body error: error reading a body from connection: end of file before message length reached
    test slow body
      ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/slow, status=200, error=request or response body error: operation timed out
    test timeout
      ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/silent, error=error sending request: operation timed out
    test connect
      ext.http.reqwest GET closed.example · method=GET, url=http://closed.example/, error=error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
    "#);
}

/// Repeats requests whose response has the status 503.
fn repeat<'a>(
    request: Request,
    extensions: &'a mut http::Extensions,
    next: Next<'a>,
) -> Pin<Box<dyn Future<Output = reqwest_middleware::Result<Response>> + Send + 'a>> {
    Box::pin(async move {
        loop {
            let attempt = request.try_clone().unwrap();
            let response = next.clone().run(attempt, extensions).await?;
            if response.status() != StatusCode::SERVICE_UNAVAILABLE {
                return Ok(response);
            }
        }
    })
}

#[tokio::test]
async fn retries_are_counted() {
    let calls = Calls::new();
    let server = HttpServer::start([BUSY, BUSY, OK]);
    let client = ClientBuilder::new(Client::new()).with(middleware).with(repeat).with(middleware).build();
    let transaction = calls.begin();
    let text = transaction.wrap(async { client.get(server.url("/busy")).send().await.unwrap().text().await.unwrap() });
    assert_eq!(text.await, "19.5");
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/busy, status=200, retries=2"#);
}

#[tokio::test]
async fn extensions_can_be_used_again() {
    let calls = Calls::new();
    let server = HttpServer::start([OK, OK]);
    let client = recorded_client();
    let mut extensions = http::Extensions::new();
    let transaction = calls.begin();
    let work = transaction.wrap(async {
        for path in ["/one", "/two"] {
            let request = client.get(server.url(path)).build().unwrap();
            in_span(path, "test", client.execute_with_extensions(request, &mut extensions)).await.unwrap();
        }
    });
    work.await;
    assert_snapshot!(server.shown(&tree::of_sample(&calls.end(transaction))), @r#"
    test /one
      ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/one, status=200
    test /two
      ext.http.reqwest GET prices.example · method=GET, url=http://prices.example/two, status=200
    "#);
}

#[tokio::test]
async fn a_call_outside_of_a_transaction_is_unchanged() {
    let calls = Calls::new();
    let server = HttpServer::start([OK, OK]);
    assert_eq!(recorded_client().get(server.url("/")).send().await.unwrap().text().await.unwrap(), "19.5");
    assert_eq!(Client::new().get(server.url("/")).send_recorded().await.unwrap().text().await.unwrap(), "19.5");
    assert_eq!((server.received("traceparent"), server.received("traceparent")), (None, None));
    assert!(calls.samples().is_empty());
}
