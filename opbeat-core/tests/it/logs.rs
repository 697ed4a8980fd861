//! Log events about a failure that is also returned, captured, or reported by a status.

use std::error::Error;
use std::fmt;

use opbeat_core::events::log::ErrorLog;
use opbeat_core::events::tracing::ErrorEvents;
use opbeat_core::http::CapturedError;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{ErrorRecord, Origin, Value};
use tracing_subscriber::layer::SubscriberExt;

use crate::{PATIENCE, monitored};

#[derive(Debug)]
struct LoadError {
    #[expect(dead_code, reason = "`Debug` shows it")]
    cart: u32,
    cause: std::io::Error,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot load the cart")
    }
}

impl Error for LoadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

type Log = fn(&LoadError);

/// Logs in a request, which then returns the same error if `returns` is true. Returns the reports.
fn reports(log: impl FnOnce(&LoadError), returns: bool) -> Vec<ErrorRecord> {
    let (agent, exporter) = monitored();
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| request.set_line("GET", "/"));
    tracing::subscriber::with_default(subscriber, || {
        let _entered = transaction.enter();
        log(&LoadError { cart: 7, cause: std::io::Error::other("the shelf is broken") });
    });
    if returns {
        let error = LoadError { cart: 7, cause: std::io::Error::other("the shelf is broken") };
        transaction.report_captured(&CapturedError::new(&error));
    }
    transaction.start_response(500);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    exporter.errors()
}

fn extra<'a>(error: &'a ErrorRecord, name: &str) -> Option<&'a Value> {
    error.extra.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

#[test]
fn an_error_that_is_logged_and_returned_is_one_report() {
    let idioms: [(&str, Log); 9] = [
        ("`Display` in a field", |error| tracing::error!(error = %error, user_id = 42, "loading failed")),
        ("`Debug` in a field", |error| tracing::error!(error = ?error, user_id = 42, "loading failed")),
        ("a field alone", |error| tracing::error!(user_id = 42, %error)),
        ("a field of another name", |error| tracing::error!(err = ?error, user_id = 42, "loading failed")),
        ("`Display` in the message", |error| tracing::error!(user_id = 42, "loading failed: {error}")),
        ("`Debug` in the message", |error| tracing::error!(user_id = 42, "loading failed: {error:?}")),
        ("pretty-printed", |error| tracing::error!(user_id = 42, error = ?error, "{}: {error:#}", "no")),
        ("as an error", |error| tracing::error!(error = error as &dyn Error, user_id = 42, "loading failed")),
        ("twice", |error| {
            tracing::error!(error = %error, "the query failed");
            tracing::error!(error = %error, user_id = 42, "loading failed");
        }),
    ];
    for (name, log) in idioms {
        let errors = reports(log, true);
        assert_eq!(errors.len(), 1, "{name}: {errors:#?}");
        let error = &errors[0];
        assert_eq!((error.type_name.as_deref(), error.causes.len()), (Some("LoadError"), 1), "{name}");
        assert_eq!(extra(error, "user_id"), Some(&Value::Integer(42)), "{name}: the event's fields stay");
    }
}

#[test]
fn a_log_event_alone_is_reported_with_its_fields() {
    let errors = reports(|error| tracing::error!(error = %error, user_id = 42, is_new = true, "loading failed"), false);
    assert_eq!((errors.len(), errors[0].message.as_str()), (1, "loading failed"));
    assert_eq!(extra(&errors[0], "error"), Some(&Value::from("cannot load the cart")));
    assert_eq!(extra(&errors[0], "is_new"), Some(&Value::Bool(true)));
    let errors = reports(|error| tracing::error!(%error), false);
    assert_eq!(
        (errors.len(), errors[0].message.as_str()),
        (1, "cannot load the cart"),
        "the error field is the message"
    );
}

#[test]
fn a_log_event_about_another_failure_is_another_report() {
    let errors = reports(|_| tracing::error!(error = "no route to the cache", "going on without"), true);
    assert_eq!(errors.len(), 2, "{errors:#?}");
}

#[test]
fn log_events_about_a_status_are_ignored() {
    let log = |_: &LoadError| tracing::error!(target: "tower_http::trace::on_failure", latency = 1, "response failed");
    let errors = reports(log, false);
    assert_eq!((errors.len(), errors[0].origin), (1, Origin::Status), "{errors:#?}");
    assert_eq!(reports(log, true).len(), 1);
}

#[test]
fn records_of_the_log_crate_are_reported() {
    struct Terminal;
    impl log::Log for Terminal {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    let logger = ErrorLog::new(Terminal);
    let line = |level, target, text: fmt::Arguments<'_>| {
        let mut record = log::Record::builder();
        record.level(level).target(target).file(Some("src/cart.rs")).line(Some(7));
        log::Log::log(&logger, &record.args(text).build());
    };
    let log = |error: &LoadError| {
        line(log::Level::Warn, "shop", format_args!("the cart is slow"));
        line(log::Level::Error, "tower_http::trace::on_failure", format_args!("response failed"));
        line(log::Level::Error, "shop", format_args!("loading failed: {error:?}"));
    };
    let errors = reports(log, false);
    assert_eq!((errors.len(), errors[0].origin), (1, Origin::Logged), "{errors:#?}");
    assert_eq!(errors[0].location.as_ref().unwrap().line, 7);
    assert_eq!(extra(&errors[0], "target"), Some(&Value::from("shop")));
    assert_eq!(reports(log, true).len(), 1);
}

#[test]
fn the_error_id_is_that_of_the_error_that_ended_the_request() {
    let (agent, exporter) = monitored();
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| request.set_line("GET", "/"));
    tracing::subscriber::with_default(subscriber, || {
        let _entered = transaction.enter();
        tracing::error!("no route to the cache, going on without");
        opbeat_core::capture_error(&std::io::Error::other("the queue is slow"));
    });
    transaction.report_captured(&CapturedError::new(&fmt::Error));
    let id = transaction.error_id();
    transaction.start_response(500);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 3);
    let named = errors.iter().find(|error| Some(error.id) == id).unwrap();
    assert_eq!(named.type_name.as_deref(), Some("Error"), "{}", named.message);
}

#[test]
fn a_requested_error_id_stays() {
    let mut requested = None;
    let errors = reports(
        |error| {
            tracing::error!(%error, "loading failed");
            requested = opbeat_core::current().error_id();
        },
        true,
    );
    assert_eq!((errors.len(), Some(errors[0].id)), (1, requested));
    assert_eq!(errors[0].origin, Origin::Captured);
}
