//! The times to the response head, beside the whole durations.

use std::time::{Duration, Instant};

use opbeat_core::Agent;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::DurationGroup;
use opbeat_testing::ScriptedServer;

use crate::http::begin;
use crate::{PATIENCE, monitored};

/// Returns a request whose head is ready, and whose body has taken most of its time.
fn in_slow_body(agent: &Agent) -> HttpTransaction {
    let began = Instant::now();
    let mut transaction = begin(agent, "GET");
    transaction.start_response(200);
    let head = Instant::now();
    while head.elapsed() < (2 * (head - began)).max(Duration::from_millis(2)) {
        std::hint::spin_loop();
    }
    transaction
}

/// Returns each transaction of a group as its duration and the time to its response head.
fn times(group: &DurationGroup) -> Vec<(f32, f32)> {
    assert_eq!(group.milliseconds.len(), group.head_milliseconds.len());
    group.milliseconds.iter().copied().zip(group.head_milliseconds.iter().copied()).collect()
}

#[test]
fn a_slow_body_is_no_part_of_the_time_to_the_head() {
    let (agent, exporter) = monitored();
    in_slow_body(&agent).complete();
    agent.flush(PATIENCE).unwrap();
    let [(duration, head)] = times(&exporter.durations()[0])[..] else { panic!("one request") };
    assert!(head < duration / 2.0, "{head} of {duration} ms");
}

#[test]
fn transactions_without_a_head_list_no_head_times() {
    let (agent, exporter) = monitored();
    agent.begin_transaction("task.mail").end("shop.mail", "ok");
    drop(begin(&agent, "GET"));
    agent.flush(PATIENCE).unwrap();
    let groups = exporter.durations();
    assert_eq!(groups.len(), 2);
    assert!(groups.iter().all(|group| group.milliseconds.len() == 1 && group.head_milliseconds.is_empty()));
}

#[test]
fn a_request_that_ended_before_its_head_counts_its_duration() {
    let (agent, exporter) = monitored();
    drop(begin(&agent, "GET"));
    drop(in_slow_body(&agent));
    drop(begin(&agent, "GET"));
    agent.flush(PATIENCE).unwrap();
    let all: Vec<_> = exporter.durations().iter().flat_map(times).collect();
    let slower: Vec<bool> = all.iter().map(|(duration, head)| head < duration).collect();
    assert_eq!(slower, [false, true, false]);
}

#[test]
fn the_counts_of_threads_stay_aligned() {
    let (agent, exporter) = monitored();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| drop(begin(&agent, "GET"))));
            scope.spawn(|| drop(in_slow_body(&agent)));
        }
    });
    agent.flush(PATIENCE).unwrap();
    let all: Vec<_> = exporter.durations().iter().flat_map(times).collect();
    let slow = all.iter().filter(|(duration, head)| head < duration).count();
    assert_eq!((all.len(), slow), (44, 4));
}

#[test]
fn head_times_are_sent_only_if_bodies_are_slow() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config()).unwrap();
    agent.begin_transaction("task.mail").end("shop.mail", "ok");
    in_slow_body(&agent).complete();
    agent.flush(PATIENCE).unwrap();
    let groups = server.requests().remove(0).body["transactions"].clone();
    let group = |name: &str| groups.as_array().unwrap().iter().find(|group| group["transaction"] == name).unwrap();
    assert!(group("shop.mail").get("head_durations").is_none());
    let slow = group("GET unmatched");
    let (duration, head) = (slow["durations"][0].as_f64(), slow["head_durations"][0].as_f64());
    assert!(head.unwrap() < duration.unwrap());
    assert_eq!(slow["head_durations"].as_array().unwrap().len(), 1);
}
