//! The rows of the bridge to `tracing`, each with the library that it is for.

mod async_graphql;
mod aws;
mod clickhouse;
mod fred;
mod http_peer;
mod mysql_async;
mod reqwest_tracing;
mod scylla;
mod sea_orm;
mod sqlx;

use opbeat_core::{Agent, Config};
use opbeat_instrument::tracing::SpanBridge;
use opbeat_testing::MemoryExporter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::{subscriber, tree};

/// Runs `job` in a transaction, and returns the spans as text.
async fn spans_of(job: impl Future<Output = ()>) -> String {
    let (exporter, ()) = record("job", job).await;
    tree::of(&exporter, "job")
}

/// Runs `job` in a transaction, with a bridge that has a database for the events of sqlx, which do not name theirs.
async fn spans_of_sqlx(database: &'static str, job: impl Future<Output = ()>) -> String {
    let bridge = SpanBridge::new().sqlx_database(database).layer();
    let _default = tracing_subscriber::registry().with(bridge).set_default();
    spans_of(job).await
}

/// Runs `job` in a transaction that begins under a name.
///
/// # Panics
///
/// Panics if a record contains [`secret`]. The jobs have it in bind values, literals, keys, URLs and passwords.
async fn record<T>(name: &'static str, job: impl Future<Output = T>) -> (MemoryExporter, T) {
    subscriber::install();
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let transaction = agent.begin_transaction("task.rows");
    transaction.set_name(name);
    let result = transaction.wrap(job).await;
    transaction.complete();
    tree::flush(&agent);
    let records = format!("{:?}{:?}", exporter.samples(), exporter.errors());
    assert!(!records.contains(&secret()), "{records}");
    (exporter, result)
}

/// A text that must not leave the process. It is not in the source, whose lines are parts of stacks.
fn secret() -> String {
    ["hunter", "2"].concat()
}
