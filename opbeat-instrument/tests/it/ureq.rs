//! ureq with the middleware.

use std::io::Read;
use std::time::Duration;

use insta::assert_snapshot;
use opbeat_instrument::ureq::Middleware;
use ureq::{Agent, SendBody};

use crate::calls::{Calls, assert_ends_between, trace_parent_of};
use crate::http_server::{HEAD, HttpServer, MOVED, NOT_FOUND, OK, Part, TRUNCATED, closed_address, silent, slow};
use crate::tree;

fn agent(middleware: Middleware) -> Agent {
    Agent::config_builder().middleware(middleware).build().into()
}

#[test]
fn a_call_lasts_to_the_end_of_its_body_if_that_is_set() {
    let calls = Calls::new();
    let (response, opener) = slow();
    let server = HttpServer::start_with(vec![response]);
    let transaction = calls.begin();
    let body = transaction.run(|| {
        let response = agent(Middleware::new().include_bodies()).get(server.url("/books/42")).call().unwrap();
        let mut reader = response.into_body().into_reader();
        let mut body = vec![0; 2];
        reader.read_exact(&mut body).unwrap();
        drop(opbeat_core::span("before its end", "test"));
        drop(opener);
        reader.read_to_end(&mut body).unwrap();
        drop(opbeat_core::span("after it", "test"));
        body
    });
    assert_eq!(body, b"19.5");
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    ext.http.ureq GET prices.example · method=GET, url=http://prices.example/books/42, status=200
    test before its end
    test after it
    "#);
    assert_ends_between(&sample);
    assert_eq!(server.received("traceparent"), Some(trace_parent_of(&sample, 0).to_string()));
}

#[test]
fn a_call_ends_at_its_head_by_default() {
    let calls = Calls::new();
    let server = HttpServer::start([OK]);
    let transaction = calls.begin();
    transaction.run(|| {
        drop(opbeat_core::span("before its end", "test"));
        let mut response = agent(Middleware::new()).get(server.url("/")).call().unwrap();
        drop(opbeat_core::span("after it", "test"));
        assert_eq!(response.body().content_length(), Some(4));
        assert_eq!(response.body_mut().read_to_string().unwrap(), "19.5");
    });
    assert_ends_between(&calls.end(transaction));
}

#[test]
fn redirects_are_one_span() {
    let calls = Calls::new();
    let server = HttpServer::start([MOVED, OK, HEAD]);
    let transaction = calls.begin();
    transaction.run(|| {
        let agent = agent(Middleware::new());
        assert_eq!(agent.get(server.url("/books/42")).call().unwrap().body_mut().read_to_string().unwrap(), "19.5");
        agent.head(server.url("/books")).call().unwrap();
    });
    let sample = calls.end(transaction);
    assert_snapshot!(server.shown(&tree::of_sample(&sample)), @r#"
    ext.http.ureq GET prices.example · method=GET, url=http://prices.example/books/42, status=200
    ext.http.ureq HEAD prices.example · method=HEAD, url=http://prices.example/books, status=200
    "#);
    for span in [0, 0, 1] {
        assert_eq!(server.received("traceparent"), Some(trace_parent_of(&sample, span).to_string()));
    }
}

#[test]
fn failures_are_shown() {
    let calls = Calls::new();
    let ((silent, _opener), (slow, _other)) = (silent(), slow());
    let [missing, truncated] = [NOT_FOUND, TRUNCATED].map(|text| vec![Part::Text(text)]);
    let server = HttpServer::start_with(vec![missing, truncated, slow, silent]);
    let closed = closed_address();
    let transaction = calls.begin();
    transaction.run(|| {
        let agent = agent(Middleware::new().include_bodies());
        let get = |case: &'static str, url: String| {
            let _case = opbeat_core::span(case, "test");
            let request = agent.get(url).config().timeout_global(Some(Duration::from_millis(100))).build();
            request.call().and_then(|response| response.into_body().read_to_string())
        };
        get("status", server.url("/missing")).unwrap_err();
        get("body", server.url("/truncated")).unwrap_err();
        get("slow body", server.url("/slow")).unwrap_err();
        get("timeout", server.url("/silent")).unwrap_err();
        get("connect", format!("http://{closed}/?token=secret")).unwrap_err();
    });
    let tree = tree::of_sample(&calls.end(transaction));
    assert_snapshot!(server.shown(&tree).replace(&closed.to_string(), "closed.example"), @r#"
    test status
      ext.http.ureq GET prices.example · method=GET, url=http://prices.example/missing, status=404, error=HTTP 404
    test body
      ext.http.ureq GET prices.example · method=GET, url=http://prices.example/truncated, status=200, error=Peer disconnected
    test slow body
      ext.http.ureq GET prices.example · method=GET, url=http://prices.example/slow, status=200, error=timeout: global
    test timeout
      ext.http.ureq GET prices.example · method=GET, url=http://prices.example/silent, error=timeout: global
    test connect
      ext.http.ureq GET closed.example · method=GET, url=http://closed.example/, error=io: Connection refused (os error 111)
    "#);
}

#[test]
fn a_recorded_body_can_be_passed_on() {
    let calls = Calls::new();
    let server = HttpServer::start([OK, OK]);
    let transaction = calls.begin();
    transaction.run(|| {
        let agent = agent(Middleware::new().include_bodies());
        let body = agent.get(server.url("/source")).call().unwrap().into_body();
        agent.post(server.url("/target")).send(SendBody::from_owned_reader(body.into_reader())).unwrap();
    });
    calls.end(transaction);
    assert!(server.received_text().starts_with("GET /source"));
    let target = server.received_text();
    assert!(target.starts_with("POST /target") && target.ends_with("\r\n19.5\r\n0\r\n\r\n"), "{target}");
}

#[test]
fn a_call_outside_of_a_transaction_is_unchanged() {
    let calls = Calls::new();
    let server = HttpServer::start([OK]);
    let mut response = agent(Middleware::new().include_bodies()).get(server.url("/")).call().unwrap();
    assert_eq!(response.body().content_length(), Some(4));
    assert_eq!(response.body_mut().read_to_string().unwrap(), "19.5");
    assert_eq!(server.received("traceparent"), None);
    assert!(calls.samples().is_empty());
}
