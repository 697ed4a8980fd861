use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::pending;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use insta::assert_snapshot;
use opbeat_core::jobs::JobContext;
use opbeat_core::record::{ErrorRecord, TraceParent, TransactionRecord, Value};
use opbeat_core::{Agent, in_span};
use opbeat_testing::MemoryExporter;

use crate::{PATIENCE, monitored};

const TRACE_PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[derive(Debug)]
struct NoStamps;

impl fmt::Display for NoStamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are no stamps")
    }
}

impl Error for NoStamps {}

fn fail(message: &str) {
    panic!("{message}");
}

/// Writes a line for each sampled job and each error.
fn recorded(agent: &Agent, exporter: &MemoryExporter) -> String {
    agent.flush(PATIENCE).unwrap();
    let batch = exporter.take();
    let mut lines: Vec<_> = batch.samples.iter().map(job).chain(batch.errors.iter().map(error)).collect();
    lines.sort();
    lines.join("\n")
}

fn job(sample: &TransactionRecord) -> String {
    let spans: String = sample.spans.iter().map(|span| format!(" > {}", span.signature)).collect();
    let TransactionRecord { kind, name, result, outcome, extra, .. } = sample;
    format!("{kind} {name}: {result}, {}{}{spans}", outcome.as_str(), texts(extra))
}

fn error(error: &ErrorRecord) -> String {
    let causes: String = error.causes.iter().map(|cause| format!(" < {}", cause.message)).collect();
    let job = error.transaction.as_ref().map_or("", |job| job.name.as_str());
    format!("error in {job}: {}{causes}{}", error.message, texts(&error.extra))
}

fn texts<K: fmt::Display>(values: &[(K, Value)]) -> String {
    values.iter().map(|(key, value)| format!(" {key}={value}")).collect()
}

#[tokio::test]
async fn a_job_is_a_transaction_with_the_result_of_its_output() {
    let (agent, exporter) = monitored();
    agent.job("shop.newsletter").run(in_span("send mail", "ext.mail", async {})).await;
    let sent: Result<u32, NoStamps> = agent.job("shop.invoices").runner("mailq").run(async { Err(NoStamps) }).await;
    assert!(sent.is_err());
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error in shop.invoices: there are no stamps
    task.job shop.newsletter: ok, ok > send mail
    task.mailq shop.invoices: failed, server_error
    ");
}

#[test]
fn all_usual_types_of_errors_are_reported_with_their_chains() {
    let (agent, exporter) = monitored();
    let boxed = agent.job("boxed").call(|| Err::<(), Box<dyn Error + Send + Sync>>(NoStamps.into()));
    let local = agent.job("local").call(|| Err::<(), Box<dyn Error>>(NoStamps.into()));
    let context = agent.job("anyhow").call(|| Err::<(), _>(NoStamps).context("cannot send the invoice"));
    let text = agent.job("text").call(|| Err::<(), _>("no envelopes".to_owned()));
    assert!(boxed.is_err() && local.is_err() && context.is_err() && text.is_err());
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error in anyhow: cannot send the invoice < there are no stamps
    error in boxed: there are no stamps
    error in local: there are no stamps
    error in text: no envelopes
    task.job anyhow: failed, server_error
    task.job boxed: failed, server_error
    task.job local: failed, server_error
    task.job text: failed, server_error
    ");
}

#[tokio::test]
async fn an_error_that_the_job_reported_itself_is_reported_once() {
    let (agent, exporter) = monitored();
    let sent = agent.job("shop.invoices").run(async {
        opbeat_core::capture_error(&NoStamps);
        Err::<(), _>(NoStamps)
    });
    assert!(sent.await.is_err());
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error in shop.invoices: there are no stamps
    task.job shop.invoices: failed, server_error
    ");
}

#[tokio::test]
async fn a_panic_is_reported_and_continues() {
    let (agent, exporter) = monitored();
    let asynchronous = tokio::spawn(agent.job("shop.newsletter").run(async { fail("no stamps") })).await;
    assert!(asynchronous.unwrap_err().is_panic());
    let blocking = agent.job("shop.invoices");
    assert!(std::thread::spawn(|| blocking.call(|| fail("no envelopes"))).join().is_err());
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error in shop.invoices: no envelopes
    error in shop.newsletter: no stamps
    task.job shop.invoices: panicked, panicked
    task.job shop.newsletter: panicked, panicked
    ");
}

#[test]
fn a_job_that_is_dropped_is_cancelled() {
    let (agent, exporter) = monitored();
    let mut started = Box::pin(agent.job("shop.newsletter").run(pending::<()>()));
    let never_started = agent.job("shop.invoices").run(pending::<()>());
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(started.as_mut().poll(&mut context), Poll::Pending);
    drop((started, never_started));
    assert_snapshot!(recorded(&agent, &exporter), @"task.job shop.newsletter: cancelled, client_gone");
}

#[test]
fn retries_are_similar_errors_and_the_final_attempt_is_marked() {
    let (agent, exporter) = monitored();
    for attempt in 1..=3 {
        let job = agent.job("shop.invoices").attempt(attempt).max_attempts(3);
        assert!(job.call(|| Err::<(), _>(NoStamps)).is_err());
    }
    assert_snapshot!(recorded(&agent, &exporter), @r"
    error in shop.invoices: there are no stamps attempt=1 max_attempts=3
    error in shop.invoices: there are no stamps attempt=2 max_attempts=3
    error in shop.invoices: there are no stamps attempt=3 max_attempts=3 final=true
    task.job shop.invoices: failed, server_error attempt=1 max_attempts=3
    task.job shop.invoices: failed, server_error attempt=2 max_attempts=3
    task.job shop.invoices: failed, server_error attempt=3 max_attempts=3 final=true
    ");
}

#[test]
fn a_job_belongs_to_the_trace_of_the_code_that_queued_it() {
    let (agent, exporter) = monitored();
    let request = agent.begin_transaction("web.example");
    request.set_name("POST /orders");
    request.set_trace_parent(TraceParent::parse(TRACE_PARENT));
    request.set_trace_state("shop=7");
    request.set_baggage("customer=9");
    let (queued, sent) = request.run(|| {
        let _span = opbeat_core::span("queue", "messaging.queue.publish");
        (JobContext::current(), opbeat_core::current().trace_parent())
    });
    request.complete();
    let headers: HashMap<String, String> = queued.entries().map(|(name, value)| (name.to_owned(), value)).collect();

    let received = JobContext::from_entries(|name| headers.get(name));
    agent.job("shop.ship").queued_by(&received).call(|| {
        let job = opbeat_core::current();
        assert_eq!((job.trace_state().as_deref(), job.baggage().as_deref()), (Some("shop=7"), Some("customer=9")));
    });
    agent.flush(PATIENCE).unwrap();
    let job = exporter.samples().into_iter().find(|sample| sample.name.to_string() == "shop.ship").unwrap();
    assert_eq!(job.trace, sent);
    assert!(job.queued.unwrap() < PATIENCE);
}

#[test]
fn the_time_in_the_queue_starts_when_the_job_was_queued_or_due() {
    let (agent, exporter) = monitored();
    let hour = Duration::from_secs(3600);
    let now = SystemTime::now();
    agent.job("due").queued_by(&JobContext::current()).queued_at(now - hour).call(|| ());
    agent.job("future").queued_at(now + hour).call(|| ());
    agent.job("ancient").queued_at(SystemTime::UNIX_EPOCH).call(|| ());
    agent.flush(PATIENCE).unwrap();
    let minutes = |sample: &TransactionRecord| sample.queued.map(|waited| waited.as_secs() / 60);
    let waited: HashMap<_, _> =
        exporter.samples().iter().map(|sample| (sample.name.to_string(), minutes(sample))).collect();
    assert_eq!((waited["due"], waited["future"], waited["ancient"]), (Some(60), None, None));
}

#[test]
fn invalid_entries_start_a_new_trace() {
    let entries = |trace_parent: &'static str, trace_state: String, queued_at: &'static str| {
        JobContext::from_entries(move |name| match name {
            "traceparent" => Some(trace_parent.to_owned()),
            "tracestate" => Some(trace_state.clone()),
            "baggage" => None,
            _ => Some(queued_at.to_owned()),
        })
    };
    for trace_parent in ["", "00-0-0-01", "null", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more"] {
        for queued_at in ["", "-5", "yesterday", "99999999999999999999999"] {
            assert_eq!(entries(trace_parent, "shop=7".to_owned(), queued_at), JobContext::default());
        }
    }
    let long = entries(TRACE_PARENT, "x".repeat(9_000), "1764244800123");
    assert_eq!((long.trace_parent(), long.trace_state()), (TraceParent::parse(TRACE_PARENT), None));
    let (agent, exporter) = monitored();
    agent.job("shop.ship").queued_by(&entries("00-0-0-01", String::new(), "yesterday")).call(|| ());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].trace, None);
    assert_eq!(exporter.samples()[0].queued, None);
}

#[test]
#[cfg(feature = "serde")]
fn a_context_is_a_field_of_a_json_payload() {
    let text = format!(
        r#"{{"traceparent":"{TRACE_PARENT}","tracestate":"shop=7","baggage":null,"queued_at":"1764244800123"}}"#
    );
    let context: JobContext = serde_json::from_str(&text).unwrap();
    assert_eq!(context.trace_parent(), TraceParent::parse(TRACE_PARENT));
    assert_eq!(serde_json::to_string(&context).unwrap(), text);
    for odd in ["{}", r#"{"traceparent":null,"version":2}"#, r#"{"traceparent":"twelve","queued_at":"soon"}"#] {
        assert_eq!(serde_json::from_str::<JobContext>(odd).unwrap(), JobContext::default(), "{odd}");
    }
}

#[tokio::test]
async fn a_disabled_agent_runs_jobs_unrecorded() {
    let agent = Agent::disabled();
    let sent = agent.job("shop.newsletter").attempt(1).run(async { Ok::<_, NoStamps>(3) }).await;
    assert_eq!(sent.unwrap(), 3);
}
