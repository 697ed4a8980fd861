//! How requests end, and what they are counted under.

use std::task::Poll;
use std::time::Duration;

use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;
use opbeat_core::{Agent, CurrentTransaction};

use crate::http::begin;
use crate::{PATIENCE, monitored};

/// Returns how each of some requests ended, in their order.
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
fn a_declared_length_tells_the_last_byte() {
    let (agent, exporter) = monitored();
    let mut transaction = begin(&agent, "GET");
    transaction.head(200);
    assert!(!transaction.declare_length(5));
    assert!(!transaction.sent(3));
    assert!(transaction.sent(2), "nobody asks for more");
    transaction.complete();
    let mut empty = begin(&agent, "GET");
    assert!(empty.declare_length(0));
    empty.complete();
    let mut unknown = begin(&agent, "GET");
    assert!(!unknown.sent(5), "the length was not told");
    unknown.complete();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("GET unmatched"), 3);
}

#[test]
fn a_time_limit_around_ends_what_has_no_head() {
    let before_head: fn(&Agent) = |agent| {
        let mut transaction = begin(agent, "GET");
        transaction.set_time_limit(Duration::ZERO);
    };
    let in_body: fn(&Agent) = |agent| {
        let mut transaction = begin(agent, "GET");
        transaction.set_time_limit(Duration::ZERO);
        transaction.head(200);
    };
    let expected = [("timed_out".to_owned(), Outcome::TimedOut), ("client_gone".to_owned(), Outcome::ClientGone)];
    assert_eq!(ends(&[before_head, in_body]), expected);
}

#[test]
fn a_time_limit_is_reached_some_time_before() {
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
fn results_are_the_status_unless_the_outcome_tells_more() {
    let requests: [fn(&Agent); 7] = [
        |agent| respond(agent, "GET", 404, |_| ()),
        |agent| respond(agent, "GET", 504, |_| ()),
        |agent| respond(agent, "GET", 101, |_| ()),
        |agent| respond(agent, "CONNECT", 200, |_| ()),
        |agent| respond(agent, "GET", 503, |current| current.set_outcome(Outcome::Shed)),
        |agent| respond(agent, "GET", 504, |current| current.set_outcome(Outcome::Shed)),
        |agent| {
            let mut transaction = begin(agent, "GET");
            transaction.head(200);
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

fn respond(agent: &Agent, method: &'static str, status: u16, say: fn(CurrentTransaction)) {
    let mut transaction = begin(agent, method);
    say(transaction.current());
    transaction.head(status);
    transaction.complete();
}

#[test]
fn a_forced_end_tells_more_than_the_application() {
    let say = |transaction: &HttpTransaction| {
        transaction.current().set_result("imported");
        transaction.current().set_outcome(Outcome::Ok);
    };
    let (agent, exporter) = monitored();
    let gone = begin(&agent, "GET");
    say(&gone);
    drop(gone);
    let mut panicking = begin(&agent, "PUT");
    say(&panicking);
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
fn what_an_error_means_the_application_knows_better() {
    let failed: fn(&Agent) = |agent| {
        let transaction = begin(agent, "GET");
        transaction.current().set_outcome(Outcome::Shed);
        transaction.end(Outcome::ServerError);
    };
    assert_eq!(ends(&[failed]), [("shed".to_owned(), Outcome::Shed)]);
}

#[test]
fn a_panic_that_is_caught_and_answered_is_a_panic() {
    for (status, result, outcome) in [(500, "panicked", Outcome::Panicked), (200, "200", Outcome::Ok)] {
        let (agent, exporter) = monitored();
        let mut transaction = begin(&agent, "GET");
        let caught = transaction.poll(|| Poll::Ready(std::panic::catch_unwind(|| panic!("no books"))));
        assert!(matches!(caught, Poll::Ready(Err(_))));
        transaction.head(status);
        transaction.complete();
        agent.flush(PATIENCE).unwrap();
        let sample = exporter.samples().remove(0);
        assert_eq!((sample.result.to_string().as_str(), sample.outcome), (result, outcome));
        assert_eq!(exporter.errors().len(), 1, "one failure, one report");
    }
}
