//! HTTP requests: their routes, their names and nested layers.

use std::time::Duration;

use opbeat_core::Agent;
use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::record::{Outcome, TransactionResult};

use crate::{PATIENCE, monitored};

pub(crate) fn begin(agent: &Agent, method: &'static str) -> HttpTransaction {
    HttpTransaction::begin(agent, "web.test", method, |request| request.set_line(method, "/books/1?page=2"))
}

#[test]
fn a_request_ends_at_the_end_of_its_body() {
    let (agent, exporter) = monitored();
    let mut transaction = begin(&agent, "GET");
    transaction.set_route_name(route("GET", "/books/{id}"));
    assert!(!transaction.start_response(200), "a body follows");
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    let sample = exporter.samples().remove(0);
    assert_eq!(sample.name.to_string(), "GET /books/{id}");
    assert_eq!((sample.outcome, sample.result), (Outcome::Ok, TransactionResult::Status(200)));
    assert!(sample.head.unwrap() <= sample.duration);
    assert_eq!(sample.request.unwrap().target(), "/books/1?page=2");
}

#[test]
fn a_route_that_only_the_router_knows_names_the_request() {
    let (agent, exporter) = monitored();
    for renames in [false, true] {
        let mut transaction = begin(&agent, "GET");
        {
            let _entered = transaction.enter();
            if renames {
                opbeat_core::current().set_name("shop.book");
            }
            opbeat_core::current().set_route_name(route("GET", "/books/{id}"));
        }
        transaction.complete();
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!((exporter.count("GET /books/{id}"), exporter.count("shop.book")), (1, 1));
}

#[test]
fn responses_without_a_body_end_with_their_head() {
    let (agent, _exporter) = monitored();
    let cases = [("HEAD", 200), ("GET", 304), ("DELETE", 204), ("GET", 101), ("CONNECT", 200)];
    for (method, status) in cases {
        let mut transaction = begin(&agent, method);
        assert!(transaction.start_response(status), "{method} {status}");
        transaction.complete();
    }
}

#[test]
fn a_dropped_request_counts_as_a_disconnect() {
    let (agent, exporter) = monitored();
    drop(begin(&agent, "GET"));
    let mut in_body = begin(&agent, "GET");
    in_body.start_response(200);
    drop(in_body);
    agent.flush(PATIENCE).unwrap();
    let ends: Vec<_> = exporter.durations().into_iter().map(|group| (group.name, group.result.to_string())).collect();
    assert_eq!(ends, [("GET unmatched".to_owned(), "client_gone".to_owned())], "before and after the response head");
    assert!(exporter.errors().is_empty(), "a disconnect is not an error");
}

#[test]
fn a_panic_through_the_guard_ends_the_request() {
    let (agent, exporter) = monitored();
    let mut transaction = begin(&agent, "GET");
    let handler = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _entered = transaction.enter();
        panic!("no books");
    }));
    assert!(handler.is_err());
    drop(transaction);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::Panicked);
    assert_eq!(exporter.errors().len(), 1, "one failure, one report");
}

#[test]
fn a_failed_response_without_an_error_is_reported() {
    let (agent, exporter) = monitored();
    let mut transaction = begin(&agent, "GET");
    transaction.start_response(502);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    assert_eq!(error.type_name.as_deref(), Some("HTTP 502"));
    assert_eq!(error.culprit.as_deref(), Some("GET unmatched"));
    assert!(error.request.is_some());
}

#[test]
fn a_nested_layer_adds_nothing() {
    let (agent, exporter) = monitored();
    let mut outer = begin(&agent, "GET");
    {
        let _entered = outer.enter();
        let inner = begin(&agent, "GET");
        assert!(!inner.is_recording());
        inner.complete();
    }
    outer.start_response(200);
    outer.complete();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("GET unmatched"), 1);
}

#[test]
fn a_request_in_a_job_is_a_transaction_of_its_own() {
    let (agent, exporter) = monitored();
    let job = agent.begin_transaction("task.crawl");
    {
        let _entered = job.enter();
        begin(&agent, "GET").complete();
    }
    job.end("crawl", "ok");
    agent.flush(PATIENCE).unwrap();
    assert_eq!((exporter.count("crawl"), exporter.count("GET unmatched")), (1, 1));
}

#[test]
fn unknown_methods_are_counted_as_other() {
    let (agent, exporter) = monitored();
    HttpTransaction::begin(&agent, "web.test", "BREW", |_| ()).end(Outcome::ClientError);
    agent.flush(Duration::from_secs(10)).unwrap();
    assert_eq!(exporter.count("OTHER unmatched"), 1);
}

#[test]
fn a_nested_layer_sets_the_route_if_the_outer_one_has_none() {
    let (agent, exporter) = monitored();
    for outer_knows in [false, true] {
        let mut outer = begin(&agent, "GET");
        outer.set_route_name_with(|| outer_knows.then(|| route("GET", "/outer")));
        {
            let _entered = outer.enter();
            begin(&agent, "GET").set_route_name_with(|| Some(route("GET", "/inner")));
        }
        outer.start_response(200);
        outer.complete();
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!((exporter.count("GET /outer"), exporter.count("GET /inner")), (1, 1));
}

#[test]
fn a_nested_layer_knows_the_request_line() {
    let (agent, _exporter) = monitored();
    let line = Some(("GET".to_owned(), "/books/1?page=2".to_owned()));
    let mut outer = begin(&agent, "GET");
    assert_eq!((outer.request_line(), HttpTransaction::default().request_line()), (line.clone(), None));
    {
        let _entered = outer.enter();
        assert_eq!(HttpTransaction::default().request_line(), line);
    }
    outer.complete();
}

#[test]
fn long_names_are_cut() {
    let (agent, exporter) = monitored();
    for name in ["é".repeat(300), "é".repeat(400)] {
        let transaction = begin(&agent, "GET");
        transaction.current().set_name(name);
        transaction.complete();
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count(&"é".repeat(256)), 2);
}
