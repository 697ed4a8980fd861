//! Scheduled jobs: check-ins, and the state that the page and the API show.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opbeat_core::jobs::Schedule;
use opbeat_core::{Agent, Config};
use serde_json::{Value, json};

use crate::pages::text;
use crate::running::{PATIENCE, Running};

/// Returns a time in seconds since 1970.
fn ago(time: Duration) -> u64 {
    (SystemTime::now() - time).duration_since(UNIX_EPOCH).unwrap().as_secs()
}

const MINUTE: Duration = Duration::from_secs(60);

fn check_in(monitor: &str, schedule: &str, started: u64, end: Option<(f64, &str)>) -> Value {
    let (duration, result) = end.unzip();
    json!({"monitor": monitor, "schedule": schedule, "timezone": "Europe/Berlin", "started": started,
        "duration_ms": duration, "result": result})
}

async fn send(running: &Running, check_ins: &[Value]) {
    running.accept("transactions", &json!({"transactions": [], "check_ins": check_ins})).await;
    running.drained().await;
}

/// Returns the name and the state of each scheduled job.
async fn states(running: &Running) -> Vec<(String, String)> {
    let list = running.ask("crons/").await;
    let text = |job: &Value, key: &str| job[key].as_str().unwrap().to_owned();
    list["crons"].as_array().unwrap().iter().map(|job| (text(job, "monitor"), text(job, "state"))).collect()
}

#[tokio::test]
async fn jobs_are_ok_failed_running_or_late() {
    let running = Running::start().await;
    let (recent, earlier) = (ago(Duration::from_secs(330)), ago(Duration::from_secs(3_630)));
    send(
        &running,
        &[
            check_in("a-good", "every 3600s", recent, Some((1_500.0, "ok"))),
            check_in("b-failed", "every 3600s", recent, Some((20.0, "failed"))),
            check_in("c-cancelled", "every 3600s", recent, Some((20.0, "cancelled"))),
            check_in("d-running", "every 3600s", recent, None),
            check_in("e-late", "every 600s", earlier, Some((20.0, "ok"))),
            check_in("f-lost", "* * * * *", earlier, None),
            check_in("g-yearly", "0 3 1 1 *", recent, Some((20.0, "ok"))),
            check_in("h-odd", "when the moon is full", earlier, Some((20.0, "panicked"))),
        ],
    )
    .await;
    let expected = [
        ("a-good", "ok"),
        ("b-failed", "failed"),
        ("c-cancelled", "failed"),
        ("d-running", "running"),
        ("e-late", "late"),
        ("f-lost", "late"),
        ("g-yearly", "ok"),
        ("h-odd", "failed"),
    ];
    assert_eq!(states(&running).await, expected.map(|(name, state)| (name.to_owned(), state.to_owned())));

    let list = running.ask("crons/?limit=1").await;
    assert_eq!(list["total"], 8);
    let job = &list["crons"][0];
    let second = |key: &str| job[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(second("next_expected_at") - second("last_started_at"), 3_600);
    assert_eq!((&job["last_duration_ms"], &job["last_result"]), (&json!(1_500.0), &json!("ok")));
    assert_eq!((&job["time_zone"], &job["grace_seconds"]), (&json!("Europe/Berlin"), &json!(300)));
    assert_eq!(running.ask("crons/?limit=1&offset=7").await["crons"][0]["next_expected_at"], Value::Null);

    let page = text(&running.page("/acme/shop/jobs/?order=name").await);
    for row in [
        "a-good every 3600s · Europe/Berlin ok 5 min ago took 1.50 s in 54 min",
        "c-cancelled every 3600s · Europe/Berlin failed last run: cancelled",
        "d-running every 3600s · Europe/Berlin running 5 min ago in 54 min –",
        "e-late every 600s · Europe/Berlin overdue last run: ok 60 min ago took 20.0 ms expected 50 min ago",
        "unknown schedule",
    ] {
        assert!(page.contains(row), "{row}: {page}");
    }
}

#[tokio::test]
async fn the_end_of_a_run_completes_its_start_in_any_order() {
    let running = Running::start().await;
    let (first, second) = (ago(2 * MINUTE), ago(MINUTE));
    let at = |started, end| check_in("report", "every 3600s", started, end);
    send(&running, &[at(first, None)]).await;
    assert_eq!(states(&running).await[0].1, "running");
    send(&running, &[at(first, Some((5.0, "failed")))]).await;
    assert_eq!(states(&running).await[0].1, "failed");
    send(&running, &[at(second, Some((5.0, "ok")))]).await;
    send(&running, &[at(second, None), at(first, None)]).await;
    assert_eq!(states(&running).await, [("report".to_owned(), "ok".to_owned())]);
}

#[tokio::test]
async fn grace_delays_the_state_late() {
    let running = Running::start().await;
    let with_grace = |name: &str, seconds: Value| {
        let mut check_in = check_in(name, "every 60s", ago(10 * MINUTE), Some((5.0, "ok")));
        check_in["grace_seconds"] = seconds;
        check_in
    };
    let check_ins = [with_grace("long", json!(3_600)), with_grace("none", json!(0)), with_grace("odd", json!("soon"))];
    send(&running, &check_ins).await;
    let states: Vec<_> = states(&running).await.into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["ok", "late", "late"]);
}

#[tokio::test]
async fn odd_check_ins_are_left_out_and_counted() {
    let running = Running::start().await;
    let recent = ago(MINUTE);
    send(
        &running,
        &[
            json!({"schedule": "every 60s", "started": recent}),
            json!({"monitor": "no start", "schedule": "every 60s"}),
            json!("report"),
            json!({"monitor": "password=hunter2", "started": recent, "duration_ms": "5", "result": 7}),
        ],
    )
    .await;
    assert_eq!(states(&running).await, [("password=[REDACTED]".to_owned(), "ok".to_owned())]);
    let changed = running.ask("intake/?range=1h").await["changed"].to_string();
    for reason in ["invalid_time", "wrong_type"] {
        assert!(changed.contains(reason), "{reason}: {changed}");
    }
}

#[tokio::test]
async fn an_app_without_cron_jobs_shows_how_to_report_one() {
    let running = Running::start().await;
    let page = running.page("/acme/shop/jobs/").await;
    assert!(text(&page).contains("agent.cron("), "{page}");
    assert_eq!(running.ask("crons/").await, json!({"total": 0, "crons": []}));
}

#[tokio::test]
async fn runs_of_the_agent_are_shown() {
    let running = Running::start().await;
    let app = &running.app;
    let config = Config::new(&app.organization_id, &app.app_id, &app.secret_token).server_url(&app.server_url);
    let work = move || {
        let agent = Agent::start(&config.flush_interval(PATIENCE)).unwrap();
        agent.cron("nightly-report", "0 3 * * *").time_zone("Europe/Berlin").call(|| ());
        let failed: Result<(), String> =
            agent.cron("heartbeat", Schedule::every(MINUTE)).call(|| Err("no pulse".to_owned()));
        assert!(failed.is_err());
        agent.flush(PATIENCE).unwrap();
    };
    tokio::task::spawn_blocking(work).await.unwrap();
    running.drained().await;
    let expected = [("heartbeat", "failed"), ("nightly-report", "ok")];
    assert_eq!(states(&running).await, expected.map(|(name, state)| (name.to_owned(), state.to_owned())));
}
