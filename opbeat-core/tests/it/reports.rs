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
fn a_failure_that_is_logged_captured_and_returned_is_one_report() {
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
        opbeat_core::current().report_captured(&CapturedError::new(&error));
        shown
    });
    transaction.start_response(500);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 1, "{errors:#?}");
    assert_eq!(
        (errors[0].type_name.as_deref(), errors[0].causes.len()),
        (Some("CartError"), 1),
        "the most detailed report stays"
    );
    assert_eq!(Some(errors[0].id), shown, "under the id that the application received first");
}

/// The transaction's primary error and the merged reports must not disagree: both follow the same rule.
#[test]
fn the_primary_error_is_one_of_the_merged_reports() {
    let cases: [(&str, &[&str], usize); 3] = [
        ("the same message", &["timeout while reading book", "timeout while reading book"], 1),
        ("a message that occurs in the other one", &["timeout while reading book", "timeout"], 2),
        ("a message that contains the other one", &["timeout", "timeout while reading book"], 2),
    ];
    for (name, texts, reports) in cases {
        let (agent, exporter) = monitored();
        let transaction = begin(&agent);
        let ids: Vec<_> = texts
            .iter()
            .map(|text| transaction.current().capture_error(&std::io::Error::other(*text)).unwrap())
            .collect();
        let primary = transaction.error_id().unwrap();
        transaction.end(Outcome::ServerError);
        agent.flush(PATIENCE).unwrap();
        let sent: Vec<_> = exporter.errors().into_iter().map(|error| error.id).collect();
        assert_eq!(sent.len(), reports, "{name}");
        assert_eq!(
            primary,
            ids[reports - 1],
            "{name}: a later failure is the primary error, and a repeated one is not"
        );
        assert!(sent.contains(&primary), "{name}");
    }
}

#[test]
fn a_captured_error_that_is_reported_twice_is_one_report() {
    let (agent, exporter) = monitored();
    let transaction = begin(&agent);
    let captured = CapturedError::new(&CartError::new());
    let ids = [(); 2].map(|()| transaction.current().report_captured(&captured));
    let primary = transaction.error_id();
    transaction.end(Outcome::ServerError);
    agent.flush(PATIENCE).unwrap();
    let sent: Vec<_> = exporter.errors().into_iter().map(|error| (Some(error.id), error.occurrences)).collect();
    assert_eq!((ids, sent), ([primary, primary], vec![(primary, 1)]));
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
fn reports_below_error_are_not_merged_with_failures() {
    let (agent, exporter) = monitored();
    let mut transaction = begin(&agent);
    let current = transaction.current();
    let info = current.capture_message(Level::Info, "there is no cart");
    assert!(info.is_some() && current.error_id().is_none(), "nothing has failed yet");
    transaction.start_response(500);
    assert!(transaction.error_id().is_some_and(|failed| Some(failed) != info));
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
fn an_error_whose_message_occurs_in_another_errors_message_is_another_failure() {
    let (agent, exporter) = monitored();
    let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
    let transaction = agent.begin_transaction("task.test");
    let texts = ["the payment provider responded with a timeout", "timeout"];
    for text in texts {
        transaction.capture_error(&std::io::Error::other(text));
    }
    tracing::subscriber::with_default(subscriber, || {
        let _entered = transaction.enter();
        tracing::error!("no response: timeout");
        tracing::error!("there are timeouts");
    });
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    assert_eq!(messages(&exporter), [texts[0], texts[1], "there are timeouts"]);
}

#[test]
fn a_failure_that_is_captured_again_after_its_delivery_is_not_sent_again() {
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
        tracing::error!(target: "opbeat", "a message of the agent");
    });
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].origin, errors[0].message.as_str()), (Origin::Logged, "there is no cart"));
    assert_eq!(errors[0].causes[0].message, "the shelf is broken");
    assert!(errors[0].location.as_ref().unwrap().file.ends_with("reports.rs"));
}

#[test]
fn a_burst_of_similar_errors_keeps_exact_totals() {
    let (agent, exporter) = monitored();
    for number in 0..5_000 {
        agent.capture_error(&std::io::Error::other(format!("no shelf {number}")));
    }
    agent.capture_error(&fmt::Error);
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    // The panic hook is the process's: a panic that another test causes on purpose may be reported here too.
    let with_start = |start: &str| errors.iter().filter(|error| error.message.starts_with(start)).collect::<Vec<_>>();
    let (rare, common) = (with_start("an error"), with_start("no shelf"));
    assert_eq!(common.iter().map(|error| error.occurrences).sum::<u64>(), 5_000);
    assert!(common.len() <= 11, "{}", common.len());
    assert_eq!(rare.len(), 1, "other errors are sent as before");
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
fn each_repetition_of_a_failing_loop_is_counted_once() {
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
    let request = |path: &'static str, agent_name: &'static str| {
        let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
            request.set_line("GET", path);
            request.push_header("user-agent", agent_name.as_bytes());
        });
        transaction.set_route_name(opbeat_core::http::route("GET", path));
        transaction.end(Outcome::Ok);
    };
    request("/healthz", "curl/8");
    request("/books", "kube-probe/1.31");
    request("/books", "curl/8");
    let mut ready = begin(&agent);
    ready.set_route_name(opbeat_core::http::route("GET", "/readyz"));
    ready.current().capture_error(&fmt::Error);
    ready.start_response(503);
    ready.complete();
    let mut live = begin(&agent);
    live.set_route_name(opbeat_core::http::route("GET", "/livez"));
    live.start_response(503);
    live.complete();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(
        messages(&exporter),
        [fmt::Error.to_string()],
        "errors of ignored requests are reported, and bare statuses are not"
    );
    let names: Vec<String> = exporter.durations().into_iter().map(|group| group.name).collect();
    assert_eq!((names, exporter.count("GET /books")), (vec!["GET /books".to_owned()], 1));
}
