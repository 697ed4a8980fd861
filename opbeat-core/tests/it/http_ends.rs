//! The outcomes of requests, and the results that they are counted under.

use std::task::Poll;
use std::time::Duration;

use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;
use opbeat_core::{Agent, CurrentTransaction};

use crate::http::begin;
use crate::{PATIENCE, monitored};

/// Returns the result and the outcome of each request, in their order.
fn ends(requests: &[fn(&Agent)]) -> Vec<(String, Outcome)> {
    let end = |request: &fn(&Agent)| {
        let (agent, exporter) = monitored();
        request(&agent);
        agent.flush(PATIENCE).unwrap();
        let sample = exporter.samples().remove(0);
        (sample.result.to_string(), sample.outcome)
    };
    requests.iter().map(end).collect()
}

#[test]
fn a_known_length_marks_the_end_of_the_body() {
    let (agent, exporter) = monitored();
    let mut transaction = begin(&agent, "GET");
    transaction.start_response(200);
    assert!(!transaction.set_body_length(5));
    assert!(!transaction.record_sent(3));
    assert!(transaction.record_sent(2), "the body has ended");
    transaction.complete();
    let mut empty = begin(&agent, "GET");
    assert!(empty.set_body_length(0));
    empty.complete();
    let mut unknown = begin(&agent, "GET");
    assert!(!unknown.record_sent(5), "the length is unknown");
    unknown.complete();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("GET unmatched"), 3);
}

#[test]
fn an_outer_time_limit_ends_requests_before_their_response_head() {
    let before_head: fn(&Agent) = |agent| {
        let mut transaction = begin(agent, "GET");
        transaction.set_time_limit(Duration::ZERO);
    };
    let in_body: fn(&Agent) = |agent| {
        let mut transaction = begin(agent, "GET");
        transaction.set_time_limit(Duration::ZERO);
        transaction.start_response(200);
    };
    let expected = [("timed_out".to_owned(), Outcome::TimedOut), ("client_gone".to_owned(), Outcome::ClientGone)];
    assert_eq!(ends(&[before_head, in_body]), expected);
}

#[test]
fn a_request_times_out_after_three_quarters_of_the_limit() {
    let (agent, exporter) = monitored();
    let limit = Duration::from_millis(40);
    let mut transaction = begin(&agent, "GET");
    transaction.set_time_limit(limit);
    let began = std::time::Instant::now();
    while began.elapsed() < limit * 3 / 4 {
        std::hint::spin_loop();
    }
    drop(transaction);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::TimedOut);
}

#[test]
fn the_result_is_the_status_if_that_implies_the_outcome() {
    let requests: [fn(&Agent); 7] = [
        |agent| respond(agent, "GET", 404, |_| ()),
        |agent| respond(agent, "GET", 504, |_| ()),
        |agent| respond(agent, "GET", 101, |_| ()),
        |agent| respond(agent, "CONNECT", 200, |_| ()),
        |agent| respond(agent, "GET", 503, |current| current.set_outcome(Outcome::Shed)),
        |agent| respond(agent, "GET", 504, |current| current.set_outcome(Outcome::Shed)),
        |agent| {
            let mut transaction = begin(agent, "GET");
            transaction.start_response(200);
            transaction.end(Outcome::ServerError);
        },
    ];
    let expected = [
        ("404", Outcome::ClientError),
        ("504", Outcome::TimedOut),
        ("101", Outcome::Upgraded),
        ("upgraded", Outcome::Upgraded),
        ("shed", Outcome::Shed),
        ("shed", Outcome::Shed),
        ("server_error", Outcome::ServerError),
    ];
    assert_eq!(ends(&requests), expected.map(|(result, outcome)| (result.to_owned(), outcome)));
}

fn respond(agent: &Agent, method: &'static str, status: u16, prepare: fn(CurrentTransaction)) {
    let mut transaction = begin(agent, method);
    prepare(transaction.current());
    transaction.start_response(status);
    transaction.complete();
}

#[test]
fn a_forced_end_overrides_the_application() {
    let prepare = |transaction: &HttpTransaction| {
        transaction.current().set_result("imported");
        transaction.current().set_outcome(Outcome::Ok);
    };
    let (agent, exporter) = monitored();
    let dropped = begin(&agent, "GET");
    prepare(&dropped);
    drop(dropped);
    let mut panicking = begin(&agent, "PUT");
    prepare(&panicking);
    let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _entered = panicking.enter();
        panic!("no books");
    }));
    assert!(panics.is_err());
    let job = agent.begin_transaction("task.import");
    job.set_name("import");
    job.set_result("imported");
    drop(job);
    agent.flush(PATIENCE).unwrap();
    let results: Vec<_> =
        exporter.durations().into_iter().map(|group| (group.name, group.result.to_string())).collect();
    let expected = [("GET unmatched", "client_gone"), ("PUT unmatched", "panicked"), ("import", "cancelled")];
    assert_eq!(results, expected.map(|(name, result)| (name.to_owned(), result.to_owned())));
}

#[test]
fn the_application_overrides_the_outcome_of_an_error() {
    let failed: fn(&Agent) = |agent| {
        let transaction = begin(agent, "GET");
        transaction.current().set_outcome(Outcome::Shed);
        transaction.end(Outcome::ServerError);
    };
    assert_eq!(ends(&[failed]), [("shed".to_owned(), Outcome::Shed)]);
}

#[test]
fn a_caught_panic_counts_if_the_response_failed() {
    for (status, result, outcome) in [(500, "panicked", Outcome::Panicked), (200, "200", Outcome::Ok)] {
        let (agent, exporter) = monitored();
        let mut transaction = begin(&agent, "GET");
        let caught = transaction.poll(|| Poll::Ready(std::panic::catch_unwind(|| panic!("no books"))));
        assert!(matches!(caught, Poll::Ready(Err(_))));
        transaction.start_response(status);
        transaction.complete();
        agent.flush(PATIENCE).unwrap();
        let sample = exporter.samples().remove(0);
        assert_eq!((sample.result.to_string().as_str(), sample.outcome), (result, outcome));
        assert_eq!(exporter.errors().len(), 1, "one failure, one report");
    }
}
