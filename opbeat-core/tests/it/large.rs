//! Batches that are too large for one body.

use std::collections::BTreeSet;

use opbeat_core::Agent;
use opbeat_core::export::FlushError;
use opbeat_testing::{ReceivedRequest, Reply, ScriptedServer};

use crate::PATIENCE;
use crate::raw_server::{self, Reads, response};

/// Records transactions of many names, whose spans have different values.
fn record(agent: &Agent, names: usize, spans: usize, value: impl Fn(usize) -> String) {
    for name in 0..names {
        let transaction = agent.begin_transaction("task.test");
        {
            let _entered = transaction.enter();
            for number in 0..spans {
                let span = opbeat_core::span("SELECT FROM books", "db.sqlite.query");
                span.set_extra("sql", value(number));
                span.set_extra("plan", value(number));
            }
        }
        transaction.end(format!("test {name}"), "ok");
    }
}

fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}

fn counted(seen: &[ReceivedRequest]) -> usize {
    let groups = seen.iter().filter_map(|seen| seen.body["transactions"].as_array()).flatten();
    groups.map(|group| group["durations"].as_array().unwrap().len()).sum()
}

fn samples(seen: &[ReceivedRequest]) -> usize {
    seen.iter().filter_map(|seen| seen.body["traces"]["raw"].as_array()).map(Vec::len).sum()
}

#[test]
fn a_large_batch_is_split_into_bodies_that_are_accepted_once() {
    // The third body fails once and is repeated unchanged.
    let script = [Reply::Status(202, ""), Reply::Status(202, ""), Reply::Status(500, "")];
    let server = ScriptedServer::start(script);
    let agent = Agent::start(&server.config()).unwrap();
    record(&agent, 50, 300, |number| format!("SELECT {number}"));
    assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Undelivered(_))));
    agent.flush(PATIENCE).unwrap();
    let mut seen = server.requests();
    let repeated = seen.remove(2);
    assert_eq!(repeated.header("idempotency-key"), seen[2].header("idempotency-key"));
    assert_eq!(repeated.body, seen[2].body);
    assert_eq!((counted(&seen), samples(&seen)), (50, 50));
    let keys: BTreeSet<_> = seen.iter().map(|seen| seen.header("idempotency-key")).collect();
    assert_eq!(keys.len(), seen.len(), "each body has its own key");
    assert!(seen.iter().all(|seen| seen.body.to_string().len() <= 5 << 18), "no body is large");
    assert_eq!(samples(&seen[..1]), 0, "counts are sent first, without samples");
    assert!(seen.len() > 3, "{}", seen.len());
}

#[test]
fn many_counts_are_split_into_bodies() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    for name in 0..900 {
        let transaction = agent.begin_transaction("task.test");
        {
            let _entered = transaction.enter();
            for kind in 0..60 {
                drop(opbeat_core::span("part", format!("kind.{kind}")));
            }
        }
        transaction.end(format!("test {name}"), "ok");
    }
    agent.flush(PATIENCE).unwrap();
    let seen = server.requests();
    let rows = |seen: &ReceivedRequest| seen.body["breakdown"].as_array().map_or(0, Vec::len);
    assert_eq!(counted(&seen), 900);
    assert_eq!(seen.iter().map(rows).sum::<usize>(), 900 * 61);
    assert!(seen.iter().all(|seen| rows(seen) < 10_000));
}

#[test]
fn many_durations_of_one_name_are_split_into_bodies() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config().flush_interval(PATIENCE)).unwrap();
    for _ in 0..120_000 {
        agent.begin_transaction("task.test").end("test", "ok");
    }
    agent.flush(PATIENCE).unwrap();
    let seen = server.requests();
    assert_eq!(counted(&seen), 120_000);
    assert!(seen.iter().all(|seen| counted(std::slice::from_ref(seen)) < 100_000));
}

#[test]
fn a_sample_that_is_too_large_is_dropped_alone() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    record(&agent, 1, 400, |_| random(8_000));
    record(&agent, 3, 1, |_| random(20));
    let Err(FlushError::Rejected(reason)) = agent.flush(PATIENCE) else { panic!("the sample is too large") };
    assert!(reason.starts_with("a body was not sent, because it is larger than servers accept"), "{reason}");
    let seen = server.requests();
    assert_eq!(counted(&seen), 4);
    let drops = agent.diagnose().drops;
    assert_eq!((drops.transactions, drops.samples, drops.rejected), (0, 1, 1));
}

/// The server responds and closes the connection while the client still writes.
#[test]
fn an_early_response_is_read() {
    let body = r#"{"status": 403, "error_message": "not you"}"#;
    let (config, _) = raw_server::start(Reads::HeadersOnly, response("403 Forbidden", "", body));
    let agent = Agent::start(&config.shutdown_timeout(std::time::Duration::from_millis(1))).unwrap();
    for _ in 0..900 {
        // Random names do not compress to a size that a socket accepts at once.
        agent.begin_transaction("task.test").end(random(900), "ok");
    }
    let Err(FlushError::Undelivered(reason)) = agent.flush(PATIENCE) else { panic!("the server rejects the token") };
    assert!(reason.contains("responded with 403 Forbidden: not you. Check OPBEAT_SECRET_TOKEN"), "{reason}");
}
