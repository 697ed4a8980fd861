//! Jobs whose spans a test compares with a snapshot.

use opbeat_core::{Agent, Config};
use opbeat_testing::MemoryExporter;

use crate::tree;

/// Runs a job in a transaction, and returns its spans as text.
#[cfg(any(feature = "diesel", feature = "moka", feature = "r2d2", feature = "redis", feature = "rusqlite"))]
pub(crate) fn run(job: impl FnOnce()) -> String {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        job();
    }
    transaction.end("test", "ok");
    tree::flush(&agent);
    tree::of(&exporter, "test")
}

/// Does the same with an asynchronous job.
#[cfg(any(
    feature = "bb8",
    feature = "deadpool",
    feature = "diesel-async",
    feature = "moka",
    feature = "mongodb",
    feature = "redis",
    feature = "tokio-postgres"
))]
pub(crate) async fn drive(job: impl Future<Output = ()>) -> String {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let transaction = agent.begin_transaction("task.test");
    transaction.wrap(job).await;
    transaction.end("test", "ok");
    tree::flush(&agent);
    tree::of(&exporter, "test")
}
