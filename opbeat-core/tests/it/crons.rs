use std::future::pending;
use std::io;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use insta::assert_snapshot;
use opbeat_core::jobs::Schedule;
use opbeat_core::record::CheckInRecord;
use opbeat_core::{Agent, Config};
use opbeat_testing::{MemoryExporter, ScriptedServer};
use serde_json::json;

use crate::{PATIENCE, monitored};

/// Writes a line for each check-in, without times.
fn check_ins(agent: &Agent, exporter: &MemoryExporter) -> String {
    agent.flush(PATIENCE).unwrap();
    let line = |record: &CheckInRecord| {
        let CheckInRecord { monitor, schedule, time_zone, grace, end, .. } = record;
        let result = end.map_or("running", |(_, result)| result);
        format!("{monitor}: {schedule} {time_zone:?} {grace:?} {result}\n")
    };
    exporter.take().check_ins.iter().map(line).collect()
}

#[tokio::test]
async fn each_run_is_a_transaction_and_checks_in() {
    let (agent, exporter) = monitored();
    let report = agent.cron("nightly-report", "0 3 * * *").time_zone("Europe/Berlin").grace(Duration::from_secs(600));
    report.run(async {}).await;
    let failed = agent.cron("heartbeat", Schedule::every(Duration::from_millis(59_500)));
    assert!(failed.call(|| Err::<(), _>(io::Error::other("no pulse"))).is_err());
    let panicked = agent.cron("cleanup", "*/5 * * * *".to_owned());
    let lose: fn() = || panic!("no broom");
    assert!(std::thread::spawn(move || panicked.call(lose)).join().is_err());
    agent.flush(PATIENCE).unwrap();
    let samples = exporter.samples();
    let report = samples.iter().find(|sample| sample.name.to_string() == "nightly-report").unwrap();
    assert_eq!((&*report.kind, report.result.to_string().as_str()), ("task.cron", "ok"));
    assert_eq!(exporter.errors().len(), 2);
    assert_snapshot!(check_ins(&agent, &exporter), @r#"
    nightly-report: 0 3 * * * Some("Europe/Berlin") Some(600s) ok
    heartbeat: every 60s None None failed
    cleanup: */5 * * * * None None panicked
    "#);
}

#[test]
fn a_run_checks_in_when_it_starts_and_when_it_is_dropped() {
    let (agent, exporter) = monitored();
    let mut run = Box::pin(agent.cron("nightly-report", "0 3 * * *").run(pending::<()>()));
    assert_eq!(run.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
    assert_snapshot!(check_ins(&agent, &exporter), @"nightly-report: 0 3 * * * None None running");
    drop(run);
    assert_snapshot!(check_ins(&agent, &exporter), @"nightly-report: 0 3 * * * None None cancelled");
}

#[test]
fn only_the_newest_check_ins_of_a_burst_are_kept() {
    let (agent, exporter) = monitored();
    for run in 0..1_100 {
        agent.cron(format!("shard-{run}"), "* * * * *").call(|| ());
    }
    agent.flush(PATIENCE).unwrap();
    let kept = exporter.check_ins();
    assert_eq!(kept.len(), 1_000);
    assert_eq!((kept[0].monitor.as_str(), kept[999].monitor.as_str()), ("shard-100", "shard-1099"));
    assert!(kept.iter().all(|record| record.end.is_some()));
}

#[test]
fn check_ins_are_sent_with_the_counts() {
    let server = ScriptedServer::start([]);
    let config = Config::new("org", "app", "token").server_url(server.url());
    let agent = Agent::start(&config).unwrap();
    agent.cron("nightly-report?token=5ec2e7", "0 3 * * *").time_zone("Europe/Berlin").call(|| ());
    agent.flush(PATIENCE).unwrap();
    let seen = server.wait_for(1, PATIENCE);
    let sent: Vec<_> =
        seen.iter().flat_map(|seen| seen.body["check_ins"].as_array().cloned().unwrap_or_default()).collect();
    let [check_in] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(check_in["monitor"], "nightly-report?token=[REDACTED]");
    assert_eq!((&check_in["schedule"], &check_in["timezone"]), (&json!("0 3 * * *"), &json!("Europe/Berlin")));
    assert_eq!(check_in["result"], "ok");
    assert!(check_in["duration_ms"].is_number() && check_in["started"].is_string());
    assert_eq!(check_in.get("grace_seconds"), None);
}
