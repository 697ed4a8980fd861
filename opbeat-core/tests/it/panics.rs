//! Panics with unusual payloads, and panics that the hook has not reported.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::task::Poll;

use opbeat_core::http::{HttpTransaction, catch_panic};
use opbeat_core::record::{ErrorRecord, Origin, Outcome};

use crate::{PATIENCE, monitored};

/// Lets a handler panic. Returns the reports.
fn reports(catches: bool, handler: fn()) -> Vec<ErrorRecord> {
    let (agent, exporter) = monitored();
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| request.set_line("GET", "/"));
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let poll = transaction.poll(|| catch_panic(catches, handler).map_or(Poll::Ready(()), Poll::Ready));
        assert!(poll.is_ready());
        transaction.set_outcome(Outcome::Panicked);
        transaction.complete();
    }));
    assert_eq!(polled.is_ok(), catches, "a panic that is not caught unwinds further");
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].outcome, Outcome::Panicked);
    exporter.errors()
}

#[test]
fn the_message_of_a_panic_comes_from_its_payload() {
    let boxed = || panic_any(Box::<dyn Error + Send + Sync>::from("paid twice"));
    let cases: [(fn(), &str); 4] = [
        (boxed, "a panic whose payload is not text"),
        (|| panic_any(42), "a panic with 42"),
        (|| panic_any(Box::<str>::from("no books")), "no books"),
        (|| panic_any(()), "a panic whose payload is not text"),
    ];
    for (handler, message) in cases {
        let errors = reports(true, handler);
        assert_eq!((errors.len(), errors[0].message.as_str()), (1, message));
    }
}

#[test]
fn a_panic_without_a_hook_is_reported() {
    let silent = || resume_unwind(Box::new("silent"));
    for catches in [true, false] {
        let errors = reports(catches, silent);
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert_eq!((errors[0].origin, errors[0].message.as_str()), (Origin::Panicked, "silent"));
        assert_eq!(errors[0].type_name.as_deref(), Some("panic"));
    }
}

#[test]
fn an_error_before_a_panic_does_not_hide_it() {
    let errors = reports(true, || {
        opbeat_core::capture_error(&std::io::Error::other("the cache is away"));
        resume_unwind(Box::new("silent"))
    });
    let mut messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    messages.sort_unstable();
    assert_eq!(messages, ["silent", "the cache is away"]);
}

#[test]
fn a_panic_that_the_hook_reports_is_reported_once() {
    for catches in [true, false] {
        let errors = reports(catches, || panic!("no books"));
        assert_eq!((errors.len(), errors[0].message.as_str()), (1, "no books"));
        assert!(errors[0].location.is_some());
    }
}

#[tokio::test]
async fn a_panic_of_a_task_and_its_join_error_are_reported_once() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    let joined = {
        let _entered = transaction.enter();
        opbeat_core::task::spawn(async { panic!("no stamps") })
    };
    let error = joined.await.unwrap_err();
    transaction.capture_error(&error);
    transaction.end("shop.mail", "failed");
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!((errors.len(), errors[0].message.as_str()), (1, "no stamps"), "{errors:#?}");
    assert_eq!(errors[0].transaction.as_ref().unwrap().name, "shop.mail");
}
