//! Bodies of this project's own agent.

use opbeat_core::{Agent, Config};

use crate::running::{PATIENCE, Running};

const NAMES: usize = 50;
const REQUESTS: usize = 6;
const SPANS: usize = 300;

fn record(agent: &Agent) {
    for number in 0..NAMES * REQUESTS {
        let transaction = agent.begin_transaction("task.test");
        {
            let _entered = transaction.enter();
            for part in 0..SPANS {
                let span = opbeat_core::span("SELECT FROM books", "db.sqlite.query");
                span.set_extra("sql", format!("SELECT * FROM books WHERE id = {number} AND part = {part}"));
            }
        }
        transaction.end(format!("test {}", number % NAMES), "ok");
    }
}

#[tokio::test]
async fn a_large_interval_is_counted_exactly() {
    let running = Running::start().await;
    let app = &running.app;
    let config = Config::new(&app.organization_id, &app.app_id, &app.secret_token).server_url(&app.server_url);
    let delivered = tokio::task::spawn_blocking(move || {
        let agent = Agent::start(&config.flush_interval(PATIENCE)).unwrap();
        assert_eq!(agent.diagnose().server.is_token_accepted, Some(true));
        record(&agent);
        (agent.flush(PATIENCE), agent.diagnose().drops)
    });
    let (flushed, drops) = delivered.await.unwrap();
    flushed.unwrap();
    assert!(drops.is_empty(), "{drops}");
    running.drained().await;
    let list = running.ask("transactions/?range=1h&limit=100").await;
    let shown = list["transactions"].as_array().unwrap();
    assert_eq!(shown.len(), NAMES);
    assert!(shown.iter().all(|transaction| transaction["count"] == REQUESTS), "{list}");
    let id = &shown[0]["id"];
    let parts = running.ask(&format!("transactions/{id}/breakdown/?range=1h")).await;
    let queries = parts.as_array().unwrap().iter().find(|part| part["kind"] == "db.sqlite.query").unwrap();
    assert_eq!(queries["count"], REQUESTS * SPANS, "samples are not counted a second time: {parts}");
    let samples = running.ask(&format!("transactions/{id}/samples/?range=1h")).await;
    assert!(!samples.as_array().unwrap().is_empty());
}
