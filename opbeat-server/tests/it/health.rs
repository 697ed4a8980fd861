//! The health check, and pages whose queries take too long.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::database::Database;
use crate::pages::text;
use crate::running::{Looks, PATIENCE, Running};

const BODY: &str = r#"{"transactions": [{"transaction": "GET /", "durations": [1.5]}], "traces": []}"#;

/// Replaces the table that the list of apps reads by a view whose rows take for ever to compute.
async fn make_endless(running: &Running) {
    let database = Database::of(running).await;
    let numbers = match &database {
        Database::File(_) => {
            "PRAGMA legacy_alter_table = on;
             CREATE VIEW numbers AS
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT n FROM numbers;"
        }
        Database::Server(_) => "CREATE VIEW numbers AS SELECT generate_series(1, 9000000000000000) AS n;",
    };
    database.run(numbers).await;
    database
        .run(
            "ALTER TABLE error_groups RENAME TO hidden_error_groups;
             CREATE VIEW error_groups AS
             SELECT n AS first_seen, n AS last_seen, 'open' AS status, NULL AS merged_into, 'app' || n AS app_id
             FROM numbers;",
        )
        .await;
}

/// Waits until the health check fulfils a condition.
async fn health(running: &Running, query: &str, is_met: impl Fn(&Value) -> bool) -> (StatusCode, Value) {
    let mut looks = Looks::new();
    loop {
        let response = running.get(&format!("/healthz{query}")).await;
        let status = response.status();
        let health: Value = response.json().await.unwrap();
        if is_met(&health) {
            return (status, health);
        }
        looks.next(&health).await;
    }
}

#[tokio::test]
async fn a_healthy_server_says_so() {
    let running = Running::start().await;
    running.accept("transactions", &serde_json::from_str(BODY).unwrap()).await;
    running.drained().await;
    let (status, mut health) = health(&running, "?ready", |health| health["storing"] == "ok").await;
    assert_eq!(status, StatusCode::OK);
    health["version"] = json!("");
    assert_eq!(
        health,
        json!({
            "status": "accepting", "storing": "ok", "lag_seconds": 0, "version": "",
            "queue": {"state": "ok", "backlog_bytes": 0, "damages": 0}, "disk": {"state": "ok"},
            "database": {"state": "ok"}, "messages": [],
        })
    );
}

#[tokio::test]
async fn a_worker_without_progress_is_stuck_and_late() {
    let running = Running::start_with(|config| {
        config.health.stuck = Duration::from_millis(50);
        config.health.behind = Duration::ZERO;
    })
    .await;
    let database = Database::of(&running).await;
    database.lock().await;
    running.accept("transactions", &serde_json::from_str(BODY).unwrap()).await;
    let (status, stuck) = health(&running, "", |health| health["storing"] == "stuck").await;
    assert_eq!(status, StatusCode::OK, "data is still accepted");
    assert!(stuck["messages"][0].as_str().unwrap().contains("No data was stored for"), "{stuck}");
    assert_eq!(running.get("/healthz?ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
    database.unlock().await;
    running.drained().await;
    assert_ne!(health(&running, "", |health| health["queue"]["backlog_bytes"] == 0).await.1["storing"], "stuck");
}

#[tokio::test]
async fn a_queue_that_cannot_be_written_is_reported_until_it_can() {
    // Every record gets a file of its own, so that the next one needs the folder.
    let running = Running::start_with(|config| config.queue_limits.segment = 1).await;
    let (queue, away) = (running.folder.path().join("queue"), running.folder.path().join("away"));
    assert_eq!(running.post("transactions", BODY).await.status(), StatusCode::ACCEPTED);
    running.drained().await;
    std::fs::rename(&queue, &away).unwrap();
    assert_eq!(running.post("transactions", BODY).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let response = running.get("/healthz").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let failing: Value = response.json().await.unwrap();
    assert_eq!((&failing["status"], &failing["queue"]["state"]), (&json!("rejecting"), &json!("failing")));
    let message = failing["messages"][0].as_str().unwrap();
    assert!(message.contains("No such file or directory") && message.contains("free space"), "{message}");
    std::fs::rename(&away, &queue).unwrap();
    assert_eq!(running.post("transactions", BODY).await.status(), StatusCode::ACCEPTED);
    assert_eq!(running.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_removed_database_is_reported() {
    let running = Running::start().await;
    if running.database.is_some() {
        println!("skipped: a server has no file that could be removed");
        return;
    }
    std::fs::remove_file(running.folder.path().join("opbeat.sqlite")).unwrap();
    let (status, missing) = health(&running, "", |health| health["database"]["state"] == "missing").await;
    assert_eq!(status, StatusCode::OK, "data is still accepted");
    assert!(missing["messages"][0].as_str().unwrap().contains("The file of the database is missing"), "{missing}");
    assert_eq!(running.get("/healthz?ready").await.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_health_check_answers_while_pages_keep_all_readers_busy() {
    let running = Running::start_with(|config| config.page_timeout = PATIENCE).await;
    make_endless(&running).await;
    let pages: Vec<_> = (0..8)
        .map(|_| {
            let request = running.client.get(format!("{}/api/v2/organizations/acme/apps/", running.server.url()));
            tokio::spawn(request.bearer_auth(&running.read_token).send())
        })
        .collect();
    for _ in 0..50 {
        let response = running.get("/healthz").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.json::<Value>().await.unwrap()["database"]["state"], "ok");
    }
    assert!(pages.iter().all(|page| !page.is_finished()), "the queries still run");
    pages.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_slow_page_ends_at_its_time_limit_and_frees_its_connection() {
    let running = Running::start_with(|config| config.page_timeout = Duration::from_millis(100)).await;
    make_endless(&running).await;
    for _ in 0..3 {
        let slow: Vec<_> = (0..6)
            .map(|_| {
                let request = running.client.get(running.server.url()).header("cookie", &running.cookie);
                tokio::spawn(request.send())
            })
            .collect();
        for page in slow {
            let response = page.await.unwrap().unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()["retry-after"], "5");
            let page = response.text().await.unwrap();
            assert!(text(&page).contains("did not return the data of this page within the time limit"), "{page}");
        }
    }
    let url = format!("{}/api/v2/organizations/acme/apps/", running.server.url());
    let response = running.client.get(url).bearer_auth(&running.read_token).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.text().await.unwrap().contains("took too long"));
    let database = Database::of(&running).await;
    database.run("DROP VIEW error_groups; ALTER TABLE hidden_error_groups RENAME TO error_groups;").await;
    assert!(running.page("/").await.contains("acme"), "the connections work again");
}

#[tokio::test]
async fn damage_of_the_queue_is_reported() {
    let running = Running::start_with(|config| {
        config.create_database = true;
        let queue = config.data.join("queue");
        std::fs::create_dir_all(&queue).unwrap();
        std::fs::write(queue.join("00000000000000000001.log"), [0xff; 100]).unwrap();
        std::fs::write(queue.join("00000000000000000002.log"), []).unwrap();
    })
    .await;
    let (status, damaged) = health(&running, "", |health| health["queue"]["damages"] != 0).await;
    assert_eq!(status, StatusCode::OK, "data is still accepted");
    assert!(damaged["messages"][0].as_str().unwrap().contains("The disk may be failing"), "{damaged}");
}

#[tokio::test]
async fn a_full_queue_is_reported_and_a_full_part_of_an_app_is_not_its_failure() {
    const LIMIT: u64 = 8_001;
    let running = Running::start_with(|config| config.queue_limits.backlog = LIMIT).await;
    let mut apps = Vec::new();
    for app in ["a", "b", "c", "d", "e"] {
        apps.push(running.server.create_app("acme", app).await.unwrap());
    }
    let database = Database::of(&running).await;
    database.lock().await;
    for (number, app) in apps.iter().enumerate() {
        let rejection = loop {
            let url = crate::running::intake_url(app, "transactions");
            let response = running.client.post(url).bearer_auth(&app.secret_token).body(BODY).send().await.unwrap();
            if response.status() != StatusCode::ACCEPTED {
                break response;
            }
        };
        assert_eq!(rejection.status(), StatusCode::SERVICE_UNAVAILABLE);
        let rejection = rejection.text().await.unwrap();
        let response = running.get("/healthz").await;
        let status = response.status();
        let health: Value = response.json().await.unwrap();
        // The last two compete for the rest with the server's own records.
        if number < 3 {
            assert!(rejection.contains("too much data of this app"), "{rejection}");
            assert_eq!((status, &health["queue"]["state"]), (StatusCode::OK, &json!("ok")), "{health}");
            assert!(health["messages"][0].as_str().unwrap().contains("Data of one app is rejected"), "{health}");
        } else if number == 4 {
            assert!(rejection.contains("the queue is full"), "{rejection}");
            assert_eq!((status, &health["queue"]["state"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("full")));
            assert!(health["queue"]["backlog_bytes"].as_u64().unwrap() < LIMIT, "{health}");
        }
    }
    database.unlock().await;
    running.drained().await;
    assert_eq!(running.post("transactions", BODY).await.status(), StatusCode::ACCEPTED);
    assert_eq!(running.get("/healthz").await.status(), StatusCode::OK);
}
