//! Jobs: their counts, samples, values and limits.

use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{Outcome, TransactionResult};
use opbeat_core::{Agent, User};

use crate::{PATIENCE, monitored};

#[test]
fn every_transaction_is_counted_under_its_name_kind_and_result() {
    let (agent, exporter) = monitored();
    for number in 0..1_000 {
        let result = if number % 10 == 0 { "failed" } else { "ok" };
        agent.begin_transaction("task.mail").end("shop.mail", result);
    }
    agent.flush(PATIENCE).unwrap();
    let count = |result: &'static str| -> usize {
        let result = TransactionResult::from(result);
        let groups = exporter.durations();
        groups.iter().filter(|group| group.result == result).map(|group| group.milliseconds.len()).sum()
    };
    assert_eq!((count("ok"), count("failed")), (900, 100));
    assert!(exporter.durations().iter().all(|group| group.kind == "task.mail" && group.name == "shop.mail"));
}

#[test]
fn failed_and_first_transactions_are_sampled() {
    let (agent, exporter) = monitored();
    for number in 0..100 {
        agent.begin_transaction("task.mail").end("shop.mail", if number == 50 { "failed" } else { "ok" });
    }
    agent.flush(PATIENCE).unwrap();
    let samples = exporter.samples();
    assert!(samples.iter().any(|sample| sample.outcome == Outcome::ServerError));
    assert!((2..=4).contains(&samples.len()), "first, failed, slowest, random: {}", samples.len());
}

#[test]
fn a_dropped_transaction_counts_as_cancelled() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.mail");
    transaction.set_name("shop.mail");
    drop(transaction);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.durations()[0].result, "cancelled".into());
}

#[test]
fn a_panic_ends_a_transaction() {
    let (agent, exporter) = monitored();
    let job = std::panic::catch_unwind(|| {
        let transaction = agent.begin_transaction("task.mail");
        let _entered = transaction.enter();
        transaction.set_name("shop.mail");
        panic!("no stamps");
    });
    assert!(job.is_err());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::Panicked);
    let error = &exporter.errors()[0];
    assert_eq!((error.type_name.as_deref(), error.message.as_str()), (Some("panic"), "no stamps"));
    assert_eq!(error.transaction.as_ref().map(|transaction| transaction.name.as_str()), Some("shop.mail"));
}

#[test]
fn users_tags_and_extra_values_are_kept() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.mail");
    {
        let _entered = transaction.enter();
        let current = opbeat_core::current();
        current.set_user(User::new(42).email("ada@example.com"));
        current.set_tag("plan", "gold");
        current.set_tag("plan", "silver");
        current.set_extra("mails", 3);
    }
    assert!(!opbeat_core::current().is_recording(), "the guard was dropped");
    transaction.end("shop.mail", 200);
    agent.flush(PATIENCE).unwrap();
    let sample = exporter.samples().remove(0);
    assert_eq!(sample.user.unwrap().email.as_deref(), Some("ada@example.com"));
    assert_eq!(sample.tags, [("plan".into(), "silver".into())]);
    assert_eq!(sample.extra, [("mails".into(), 3.into())]);
    assert_eq!(sample.result, TransactionResult::Status(200));
}

#[test]
fn names_beyond_the_limit_are_counted_together() {
    let (agent, exporter) = monitored();
    for number in 0..3_000 {
        agent.begin_transaction("task.mail").end(format!("mail {number}"), "ok");
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("(other names)"), 2_000);
    let total: usize = exporter.durations().iter().map(|group| group.milliseconds.len()).sum();
    assert_eq!(total, 3_000);
}

#[test]
fn a_disabled_agent_does_nothing() {
    let agent = Agent::disabled();
    let transaction = agent.begin_transaction("task.mail");
    let _entered = transaction.enter();
    assert!(!opbeat_core::current().is_recording());
    assert_eq!(agent.flush(PATIENCE), Ok(()));
}

#[test]
fn public_futures_and_handles_are_send() {
    fn is_send<T: Send>() {}
    fn is_sync<T: Sync>() {}
    is_send::<Agent>();
    is_sync::<Agent>();
    is_send::<opbeat_core::Transaction>();
    is_send::<opbeat_core::Span>();
    is_send::<opbeat_core::CurrentTransaction>();
    is_send::<opbeat_core::task::InSpan<std::future::Ready<()>>>();
    is_send::<opbeat_core::task::InTransaction<std::future::Ready<()>>>();
    is_send::<opbeat_core::http::HttpTransaction>();
}

#[test]
fn results_and_kinds_beyond_the_limit_are_counted_together() {
    let (agent, exporter) = monitored();
    for number in 0..12_000 {
        let transaction = agent.begin_transaction("task.mail");
        drop(transaction.span("step", format!("kind.{number}")));
        transaction.end("shop.mail", format!("result {number}"));
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("shop.mail"), 12_000, "none is dropped");
    assert!(exporter.durations().len() <= 202, "{}", exporter.durations().len());
    assert!(exporter.breakdown().len() <= 202, "{}", exporter.breakdown().len());
}

#[test]
fn long_values_are_cut() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.mail");
    transaction.set_extra("letter", "é".repeat(100_000));
    transaction.end("shop.mail", "ok");
    agent.flush(PATIENCE).unwrap();
    assert!(exporter.samples()[0].extra[0].1.to_string().len() < 9_000);
}

#[test]
fn transactions_that_are_open_at_the_shutdown_are_told_as_dropped() {
    let (agent, exporter) = monitored();
    let request = HttpTransaction::begin(&agent, "web.test", "GET", |_| ());
    let job = agent.begin_transaction("task.test");
    agent.begin_transaction("task.test").end("test", "ok");
    assert_eq!(agent.open_transactions(), 2);
    agent.shutdown(PATIENCE).unwrap();
    let delivered = exporter.take();
    assert_eq!((delivered.transactions(), delivered.drops.transactions), (1, 2));
    drop(request);
    job.end("test", "ok");
    assert_eq!((agent.open_transactions(), agent.is_recording()), (0, false));
    assert_eq!(exporter.take().transactions(), 0, "they ended too late to be counted");
}
