//! Distributed traces that go through.

use opbeat_core::CurrentTransaction;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{Outcome, TraceParent};

use crate::{PATIENCE, monitored};

pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_trace_goes_through() {
    let (agent, exporter) = monitored();
    let transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/");
        request.push_header("traceparent", TRACE.as_bytes());
    });
    let out = transaction.current().trace_parent().unwrap();
    assert_eq!(out.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_ne!(out.parent_id, 0x00f0_67aa_0ba9_02b7, "what is called is called by us");
    transaction.end(Outcome::Ok);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].trace.unwrap().to_string(), TRACE);
}

/// Begins a request with these headers, and returns a handle to it.
fn asked(headers: &[(&str, &str)]) -> CurrentTransaction {
    let (agent, _exporter) = monitored();
    let transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/");
        headers.iter().for_each(|(name, value)| request.push_header(name, value.as_bytes()));
    });
    transaction.current()
}

#[test]
fn whoever_sends_two_parents_has_sent_none() {
    let twice = asked(&[("traceparent", TRACE), ("Traceparent", TRACE), ("tracestate", "rojo=1")]);
    assert_ne!(twice.trace_parent().unwrap().trace_id, TraceParent::parse(TRACE).unwrap().trace_id);
    assert_eq!(twice.trace_state(), None);
}

#[test]
fn what_the_caller_does_not_keep_is_not_kept_further_on() {
    let not_kept = TRACE.replace("-01", "-00");
    assert!(!asked(&[("traceparent", &not_kept)]).trace_parent().unwrap().sampled);
    assert!(asked(&[("traceparent", TRACE)]).trace_parent().unwrap().sampled);
    assert!(asked(&[]).trace_parent().unwrap().sampled, "a trace that begins here is kept");
}

#[test]
fn what_others_say_of_the_trace_is_passed_on() {
    let state = [("traceparent", TRACE), ("tracestate", "rojo=1, congo=2"), ("tracestate", ""), ("tracestate", "a=b")];
    assert_eq!(asked(&state).trace_state().as_deref(), Some("rojo=1, congo=2,a=b"));
    assert_eq!(asked(&state[1..]).trace_state(), None, "there is no trace that it belongs to");
    assert_eq!(asked(&state[..1]).trace_state(), None);
}

#[test]
fn a_job_goes_on_with_the_trace_that_it_was_queued_in() {
    let (agent, exporter) = monitored();
    let job = agent.begin_transaction("task.queue");
    job.set_trace_parent(TraceParent::parse(TRACE));
    job.set_trace_state("rojo=1");
    let out = job.trace_parent().unwrap();
    assert_eq!(out.trace_id, TraceParent::parse(TRACE).unwrap().trace_id);
    assert_eq!(job.trace_state().as_deref(), Some("rojo=1"));
    job.end("shop.mail", "ok");
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].trace.unwrap().to_string(), TRACE);
}
