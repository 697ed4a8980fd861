//! Distributed traces that pass through the application.

use opbeat_core::CurrentTransaction;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{Outcome, TraceParent};

use crate::{PATIENCE, monitored};

pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_request_continues_the_trace_of_its_caller() {
    let (agent, exporter) = monitored();
    let transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/");
        request.push_header("traceparent", TRACE.as_bytes());
    });
    let out = transaction.current().trace_parent().unwrap();
    assert_eq!(out.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_ne!(out.parent_id, 0x00f0_67aa_0ba9_02b7, "the parent of the next call is this application");
    transaction.end(Outcome::Ok);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].trace.unwrap().to_string(), TRACE);
}

/// Begins a request with these headers, and returns a handle to it.
fn request_with(headers: &[(&str, &str)]) -> CurrentTransaction {
    let (agent, _exporter) = monitored();
    let transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/");
        headers.iter().for_each(|(name, value)| request.push_header(name, value.as_bytes()));
    });
    transaction.current()
}

#[test]
fn two_parents_count_as_none() {
    let twice = request_with(&[("traceparent", TRACE), ("Traceparent", TRACE), ("tracestate", "rojo=1")]);
    assert_ne!(twice.trace_parent().unwrap().trace_id, TraceParent::parse(TRACE).unwrap().trace_id);
    assert_eq!(twice.trace_state(), None);
}

#[test]
fn the_sampling_decision_of_the_caller_is_passed_on() {
    let unsampled = TRACE.replace("-01", "-00");
    assert!(!request_with(&[("traceparent", &unsampled)]).trace_parent().unwrap().sampled);
    assert!(request_with(&[("traceparent", TRACE)]).trace_parent().unwrap().sampled);
    assert!(request_with(&[]).trace_parent().unwrap().sampled, "a trace that begins here is sampled");
}

#[test]
fn the_trace_state_is_passed_on() {
    let state = [("traceparent", TRACE), ("tracestate", "rojo=1, congo=2"), ("tracestate", ""), ("tracestate", "a=b")];
    assert_eq!(request_with(&state).trace_state().as_deref(), Some("rojo=1, congo=2,a=b"));
    assert_eq!(request_with(&state[1..]).trace_state(), None, "a trace state without a trace is ignored");
    assert_eq!(request_with(&state[..1]).trace_state(), None);
}

#[test]
fn a_job_continues_the_trace_that_queued_it() {
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

#[test]
fn a_malformed_parent_begins_a_new_trace() {
    let valid = TraceParent::parse(TRACE).unwrap();
    for malformed in ["", "00", "\u{fffd}", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", &TRACE[..54]] {
        let request = request_with(&[("traceparent", malformed), ("tracestate", "rojo=1")]);
        let parent = request.trace_parent().unwrap();
        assert_ne!((parent.trace_id, parent.trace_id), (0, valid.trace_id), "{malformed}");
        assert_eq!((parent.sampled, request.trace_state()), (true, None), "{malformed}");
    }
}

#[test]
fn baggage_is_passed_on() {
    let baggage = |headers: &[(&str, &str)]| request_with(headers).baggage();
    let two = [("baggage", "tenant=ada, plan = gold%20;ttl=3"), ("Baggage", "beta=true")];
    assert_eq!(baggage(&two).as_deref(), Some("tenant=ada,plan = gold%20;ttl=3,beta=true"));
    assert_eq!(baggage(&[("baggage", "tenant, =ada, te nant=ada, a=é, ok=1,")]).as_deref(), Some("ok=1"));
    assert_eq!(baggage(&[("baggage", "")]), None);
    assert_eq!(CurrentTransaction::default().baggage(), None);
}

#[test]
fn large_baggage_is_cut() {
    let many: Vec<String> = (0..100).map(|member| format!("m{member}=1")).collect();
    let kept = request_with(&[("baggage", &many.join(","))]).baggage().unwrap();
    assert_eq!((kept.split(',').count(), kept.ends_with("m63=1")), (64, true));
    let large: Vec<String> = (0..9).map(|member| format!("m{member}={}", "x".repeat(1000))).collect();
    let kept = request_with(&[("baggage", &large.join(","))]).baggage().unwrap();
    assert_eq!((kept.split(',').count(), kept.len()), (8, 8 * 1003 + 7), "only whole members are passed on");
}

#[test]
fn a_job_and_its_children_pass_on_baggage() {
    let (agent, _exporter) = monitored();
    let job = agent.begin_transaction("task.queue");
    assert_eq!(job.baggage(), None);
    job.set_baggage("tenant=ada,malformed");
    assert_eq!(job.baggage().as_deref(), Some("tenant=ada"));
    let child = job.begin_child("task.export");
    assert_eq!(child.baggage().as_deref(), Some("tenant=ada"));
    child.complete();
    job.complete();
}
