//! The histograms of all transactions.

use opbeat_core::Agent;
use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::record::Outcome;
use opbeat_testing::{Reply, ScriptedServer};
use serde_json::Value as Json;

use super::receiver::{attributes, items, start};
use crate::PATIENCE;

const DELTA: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta");

fn requests(agent: &Agent, template: &'static str, status: u16, count: usize) {
    for _ in 0..count {
        let mut transaction = HttpTransaction::begin(agent, "web.test", "GET", |request| request.set_line("GET", "/"));
        transaction.set_route_name(route("GET", template));
        transaction.start_response(status);
        transaction.complete();
    }
}

/// Returns the count of each point, by its attributes.
fn points(server: &ScriptedServer) -> Vec<String> {
    let metrics = items(server, "/v1/metrics");
    let all = metrics.iter().flat_map(|metric| {
        let points = metric["histogram"]["dataPoints"].as_array().unwrap();
        points.iter().map(|point| {
            let attributes: Vec<_> =
                attributes(point).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
            format!("{} {} {}", metric["name"].as_str().unwrap(), count(point), attributes.join(" "))
        })
    });
    all.collect()
}

fn count(point: &Json) -> u64 {
    let count = point["count"].as_str().unwrap().parse().unwrap();
    let in_buckets = point["bucketCounts"].as_array().unwrap().iter().map(|count| count.as_str().unwrap());
    assert_eq!(in_buckets.map(|count| count.parse::<u64>().unwrap()).sum::<u64>(), count, "{point}");
    assert_eq!(point["bucketCounts"].as_array().unwrap().len(), point["explicitBounds"].as_array().unwrap().len() + 1);
    count
}

#[test]
fn every_transaction_is_counted_by_name_and_result() {
    let (agent, server) = start([], &[DELTA]);
    requests(&agent, "/books/{id}", 200, 3_000);
    requests(&agent, "/books/{id}", 404, 20);
    requests(&agent, "/orders", 500, 1);
    let panicked = HttpTransaction::begin(&agent, "web.test", "PURGE", |request| request.set_line("PURGE", "/"));
    panicked.end(Outcome::TimedOut);
    agent.begin_transaction("task.mail").end("shop.mail", "ok");
    let _ = agent.flush(PATIENCE);
    insta::assert_snapshot!(points(&server).join("\n"), @r#"
    http.server.request.duration 3000 http.request.method=GET http.response.status_code=200 http.route=/books/{id} opbeat.kind=web.test opbeat.result=200
    http.server.request.duration 20 http.request.method=GET http.response.status_code=404 http.route=/books/{id} opbeat.kind=web.test opbeat.result=404
    http.server.request.duration 1 error.type=500 http.request.method=GET http.response.status_code=500 http.route=/orders opbeat.kind=web.test opbeat.result=500
    http.server.request.duration 1 error.type=timed_out http.request.method=_OTHER opbeat.kind=web.test opbeat.result=timed_out opbeat.transaction=OTHER unmatched
    opbeat.job.duration 1 opbeat.kind=task.mail opbeat.result=ok opbeat.transaction=shop.mail
    "#);
}

#[test]
fn times_of_delta_points_follow_each_other() {
    let (agent, server) = start([], &[DELTA]);
    for _ in 0..3 {
        requests(&agent, "/", 200, 5);
        agent.flush(PATIENCE).unwrap();
    }
    let metrics = items(&server, "/v1/metrics");
    let points: Vec<&Json> = metrics.iter().map(|metric| &metric["histogram"]["dataPoints"][0]).collect();
    assert_eq!(points.iter().map(|point| count(point)).collect::<Vec<_>>(), [5, 5, 5]);
    let time = |point: &Json, key: &str| point[key].as_str().unwrap().parse::<u64>().unwrap();
    for point in &points {
        assert!(time(point, "startTimeUnixNano") < time(point, "timeUnixNano"));
    }
    for pair in points.windows(2) {
        assert!(time(pair[0], "timeUnixNano") <= time(pair[1], "startTimeUnixNano"), "{pair:#?}");
    }
    assert!(metrics.iter().all(|metric| metric["histogram"]["aggregationTemporality"] == 1));
}

#[test]
fn cumulative_points_count_since_the_start() {
    let (agent, server) = start([], &[]);
    requests(&agent, "/", 200, 5);
    agent.flush(PATIENCE).unwrap();
    requests(&agent, "/other", 200, 1);
    agent.flush(PATIENCE).unwrap();
    requests(&agent, "/", 200, 5);
    agent.flush(PATIENCE).unwrap();
    let metrics = items(&server, "/v1/metrics");
    assert!(metrics.iter().all(|metric| metric["histogram"]["aggregationTemporality"] == 2));
    let starts: Vec<_> =
        metrics.iter().map(|metric| metric["histogram"]["dataPoints"][0]["startTimeUnixNano"].clone()).collect();
    assert!(starts.iter().all(|start| *start == starts[0]));
    let counts: Vec<_> = metrics.iter().map(|metric| count(&metric["histogram"]["dataPoints"][0])).collect();
    assert_eq!(counts, [5, 1, 10], "unchanged series are not sent again within a minute");
}

#[test]
fn rejected_durations_are_not_part_of_later_sums() {
    let script = [Reply::Status(200, ""), Reply::Status(400, ""), Reply::Status(200, "")];
    let (agent, server) = start(script, &[("OTEL_TRACES_EXPORTER", "none")]);
    for expected in [true, false, true] {
        requests(&agent, "/", 200, 5);
        assert_eq!(agent.flush(PATIENCE).is_ok(), expected);
    }
    let counts: Vec<_> =
        items(&server, "/v1/metrics").iter().map(|metric| count(&metric["histogram"]["dataPoints"][0])).collect();
    assert_eq!(counts, [5, 10, 10]);
    assert_eq!(agent.diagnose().drops.transactions, 5);
}
