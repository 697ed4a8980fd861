use std::fmt;

use opbeat_core::events::tracing::ErrorEvents;
use opbeat_core::http::CapturedError;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{Origin, Outcome};
use opbeat_core::{Agent, Level};
use opbeat_testing::behaviour::CartError;
use tracing_subscriber::layer::SubscriberExt;

use crate::{PATIENCE, monitored};

fn begin(agent: &Agent) -> HttpTransaction {
    HttpTransaction::begin(agent, "web.test", "GET", |request| request.set_line("GET", "/"))
}

#[test]
fn one_failure_is_one_report_however_often_it_is_told() {
    let (agent, exporter) = monitored();
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    let mut transaction = begin(&agent);
    let shown = tracing::subscriber::with_default(subscriber, || {
        let _entered = transaction.enter();
        let error = CartError::new();
        let shown = opbeat_core::capture_message(Level::Error, "checkout failed: there is no cart");
        tracing::error!(error = &error as &dyn std::error::Error, "checkout failed");
        tracing::error!("checkout failed: {error}");
        opbeat_core::capture_error(&error);
        opbeat_core::current().report_failure(&CapturedError::new(&error));
        shown
    });
    transaction.head(500);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!((errors[0].type_name.as_deref(), errors[0].causes.len()), (Some("CartError"), 1), "the richest");
    assert_eq!(Some(errors[0].id), shown, "under the id that was given out first");
}

#[test]
fn different_failures_are_different_reports() {
    let (agent, exporter) = monitored();
    let transaction = begin(&agent);
    transaction.current().capture_error(&CartError::new());
    transaction.current().capture_error(&fmt::Error);
    transaction.end(Outcome::ServerError);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.errors().len(), 2);
}

fn messages(exporter: &opbeat_testing::MemoryExporter) -> Vec<String> {
    exporter.errors().into_iter().map(|error| error.message).collect()
}

#[test]
fn what_is_no_failure_stands_for_none() {
    let (agent, exporter) = monitored();
    let mut transaction = begin(&agent);
    let current = transaction.current();
    let told = current.capture_message(Level::Info, "there is no cart");
    assert!(told.is_some() && current.error_id().is_none(), "nothing failed until now");
    transaction.head(500);
    assert!(transaction.error_id().is_some_and(|failed| Some(failed) != told));
    transaction.complete();
    let transaction = agent.begin_transaction("task.test");
    transaction.capture_error(&CartError::new());
    transaction.capture_message(Level::Warning, "there is no cart");
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    let levels: Vec<_> = exporter.errors().into_iter().map(|error| (error.level, error.origin)).collect();
    let expected = [
        (Level::Info, Origin::Captured),
        (Level::Error, Origin::Status),
        (Level::Error, Origin::Captured),
        (Level::Warning, Origin::Captured),
    ];
    assert_eq!(levels, expected);
}

#[test]
fn a_word_within_another_failures_message_is_no_sign_of_it() {
    let (agent, exporter) = monitored();
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    let transaction = agent.begin_transaction("task.test");
    let said = ["the payment provider answered with a timeout", "timeout"];
    for said in said {
        transaction.capture_error(&std::io::Error::other(said));
    }
    tracing::subscriber::with_default(subscriber, || {
        let _entered = transaction.enter();
        tracing::error!("no answer: timeout");
        tracing::error!("there are timeouts");
    });
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    assert_eq!(messages(&exporter), [said[0], said[1], "there are timeouts"]);
}

#[test]
fn a_failure_that_is_told_again_after_its_report_is_the_same() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    transaction.capture_error(&CartError::new());
    agent.flush(PATIENCE).unwrap();
    transaction.capture_error(&CartError::new());
    transaction.capture_error(&fmt::Error);
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    assert_eq!(messages(&exporter), ["there is no cart", &fmt::Error.to_string()]);
}

#[test]
fn logged_errors_are_reported_with_their_chain() {
    let (agent, exporter) = monitored();
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    tracing::subscriber::with_default(subscriber, || {
        tracing::error!(error = &CartError::new() as &dyn std::error::Error, "checkout failed");
        tracing::warn!("the cart is slow");
        tracing::error!(target: "opbeat", "what the core says itself");
    });
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].origin, errors[0].message.as_str()), (Origin::Logged, "there is no cart"));
    assert_eq!(errors[0].causes[0].message, "the shelf is broken");
    assert!(errors[0].location.as_ref().unwrap().file.ends_with("reports.rs"));
}

#[test]
fn a_storm_keeps_exact_totals() {
    let (agent, exporter) = monitored();
    for number in 0..5_000 {
        agent.capture_error(&std::io::Error::other(format!("no shelf {number}")));
    }
    agent.capture_error(&fmt::Error);
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    let (rare, common): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.message.starts_with("an error"));
    assert_eq!(common.iter().map(|error| error.occurrences).sum::<u64>(), 5_000);
    assert!(common.len() <= 11, "{}", common.len());
    assert_eq!(rare.len(), 1, "others are told as before");
}

#[test]
fn errors_of_a_transaction_that_does_not_end_are_counted() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        for number in 0..5_000 {
            agent.capture_error(&std::io::Error::other(format!("no shelf {number:04}")));
        }
    }
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.iter().map(|error| error.occurrences).sum::<u64>(), 5_000);
    assert!(errors.len() <= 12, "{}", errors.len());
    transaction.end("test", "ok");
}

#[test]
fn a_loop_that_fails_alike_is_counted_and_each_failure_once() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        for _ in 0..7 {
            agent.capture_error(&CartError::new());
            agent.capture_message(Level::Error, "there is no cart");
        }
    }
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].occurrences, errors[0].type_name.as_deref()), (7, Some("CartError")));
}

#[test]
fn ignored_requests_are_not_recorded() {
    let exporter = opbeat_testing::MemoryExporter::default();
    let config = opbeat_core::Config::default().ignore_name("task.*").ignore_user_agent("kube-probe/*");
    let agent = Agent::with_exporter(&config, exporter.clone());
    agent.begin_transaction("task").end("task.clean", "ok");
    let ask = |path: &'static str, agent_name: &'static str| {
        let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
            request.set_line("GET", path);
            request.push_header("user-agent", agent_name.as_bytes());
        });
        transaction.set_route_name(opbeat_core::http::route("GET", path));
        transaction.end(Outcome::Ok);
    };
    ask("/healthz", "curl/8");
    ask("/books", "kube-probe/1.31");
    ask("/books", "curl/8");
    let mut ready = begin(&agent);
    ready.set_route_name(opbeat_core::http::route("GET", "/readyz"));
    ready.current().capture_error(&fmt::Error);
    ready.head(503);
    ready.complete();
    let mut live = begin(&agent);
    live.set_route_name(opbeat_core::http::route("GET", "/livez"));
    live.head(503);
    live.complete();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(messages(&exporter), [fmt::Error.to_string()], "errors are reported, and bare statuses are not");
    let names: Vec<String> = exporter.durations().into_iter().map(|group| group.name).collect();
    assert_eq!((names, exporter.count("GET /books")), (vec!["GET /books".to_owned()], 1));
}
