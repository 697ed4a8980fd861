use std::fmt;

use opbeat_core::http::CapturedError;
use opbeat_core::record::{ErrorRecord, Frame, Stack};
use opbeat_core::{Agent, Level};

use crate::{PATIENCE, monitored};

#[derive(Debug)]
struct CheckoutError {
    source: std::num::ParseIntError,
}

impl fmt::Display for CheckoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the quantity cannot be read")
    }
}

impl std::error::Error for CheckoutError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[inline(never)]
fn check_out(agent: &Agent) {
    let Err(source) = "two".parse::<u32>() else { return };
    agent.capture_error(&CheckoutError { source });
}

fn frames(error: &ErrorRecord) -> &[Frame] {
    match &error.stack {
        Stack::Frames(frames) => frames,
        Stack::Addresses(_) => panic!("the worker names the frames"),
    }
}

#[test]
fn an_error_has_its_chain_and_its_stack() {
    let (agent, exporter) = monitored();
    check_out(&agent);
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);

    assert_eq!(error.type_name.as_deref(), Some("CheckoutError"));
    assert_eq!(error.module.as_deref(), Some("it::errors"));
    assert_eq!(error.message, "the quantity cannot be read");
    assert_eq!(error.causes[0].type_name, "ParseIntError");
    assert_eq!(error.causes[0].message, "invalid digit found in string");
    assert!(error.location.as_ref().unwrap().file.ends_with("errors.rs"));

    let newest = frames(&error).last().unwrap();
    assert!(newest.function.ends_with("errors::check_out"), "{}", newest.function);
    assert!(newest.in_app);
    assert_eq!(newest.context_line.as_deref().map(str::trim), Some("agent.capture_error(&CheckoutError { source });"));
    assert_eq!(newest.pre_context.len(), 5);
    assert!(error.culprit.as_ref().unwrap().ends_with("check_out"));
    assert!(frames(&error).iter().any(|frame| !frame.in_app), "the test harness is not the application");
}

#[test]
fn callers_of_a_closure_in_a_transaction_are_shown() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.checkout");
    {
        let _entered = transaction.enter();
        opbeat_core::current().run(|| check_out(&agent));
    }
    transaction.end("shop.checkout", "ok");
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    let own: Vec<_> = frames(&error).iter().rev().filter(|frame| frame.in_app).map(|frame| &frame.function).collect();
    assert!(own[0].ends_with("errors::check_out") && own[1].ends_with("transaction_are_shown"), "{own:?}");
    assert!(
        frames(&error).iter().all(|frame| !frame.filename.starts_with("opbeat-core/src")),
        "the agent's own calls are removed"
    );
}

#[test]
fn errors_are_reported_with_their_transaction() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.checkout");
    let id = {
        let _entered = transaction.enter();
        transaction.set_tag("plan", "gold");
        opbeat_core::capture_message(Level::Warning, "slow today")
    };
    transaction.end("shop.checkout", "ok");
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    assert_eq!(Some(error.id), id);
    assert_eq!((error.level, error.message.as_str()), (Level::Warning, "slow today"));
    assert_eq!(error.type_name, None);
    let transaction = error.transaction.unwrap();
    assert_eq!((transaction.name.as_str(), transaction.result), ("shop.checkout", Some("ok".into())));
    assert_eq!(error.tags, [("plan".into(), "gold".into())]);
}

#[test]
fn an_error_that_is_its_own_source_has_one_cause() {
    #[derive(Debug)]
    struct Looping;
    impl fmt::Display for Looping {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("round and round")
        }
    }
    impl std::error::Error for Looping {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(self)
        }
    }
    let (agent, exporter) = monitored();
    agent.capture_error(&Looping);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.errors()[0].causes.len(), 1, "its source appears once");
}

#[test]
fn received_errors_have_no_location() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    transaction.report_captured(&CapturedError::received(&fmt::Error));
    transaction.report_captured(&CapturedError::from_debug(&("no shelf", 3)));
    transaction.report_captured(&CapturedError::new(&std::io::Error::other("away")).without_location());
    transaction.end("shop.test", "failed");
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 3);
    assert!(errors.iter().all(|error| error.location.is_none() && frames(error).is_empty()), "{errors:#?}");
    assert!(errors.iter().all(|error| error.culprit.as_deref() == Some("shop.test")));
    assert_eq!(errors[1].message, r#"("no shelf", 3)"#);
}

#[test]
fn a_panic_points_at_the_line_that_panicked() {
    let (agent, exporter) = monitored();
    let stamps = "".parse::<u32>().ok();
    let job = std::panic::catch_unwind(|| {
        let transaction = agent.begin_transaction("task.mail");
        let _entered = transaction.enter();
        stamps.expect("there are stamps")
    });
    assert!(job.is_err());
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    assert_eq!((error.level, error.message.as_str()), (Level::Fatal, "there are stamps"));
    let newest = frames(&error).iter().rfind(|frame| frame.in_app).unwrap();
    assert_eq!(
        newest.context_line.as_deref().map(str::trim),
        Some(r#"stamps.expect("there are stamps")"#),
        "{newest:?}"
    );
}

#[test]
fn secrets_stay_in_the_process() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.mail");
    // Source lines are reported as well, so the secret must not appear in them.
    let secret = ["hunter", "2"].concat();
    transaction.set_extra("smtp_password", secret.clone());
    transaction.set_extra("callback", format!("https://mail.example/?token={secret}&page=1"));
    transaction.capture_message(Level::Error, "no stamps");
    transaction.end("shop.mail", "failed");
    agent.flush(PATIENCE).unwrap();
    let sent = format!("{:?} {:?}", exporter.errors(), exporter.samples());
    assert!(!sent.contains(&secret), "{sent}");
    assert!(sent.contains("page=1"));
}
