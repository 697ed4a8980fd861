//! Tokens, allowed origins, the limits of apps, and the settings and apps of services in memory, so that intake works
//! without the database.
//!
//! ```text
//! store ─► source ─► refresh: every 2 s, and at once for unknown values ─► known values ─► intake, OTLP
//!                       └─► snapshot in the data folder, for a start without the database
//! ```
//!
//! A request never reads the database itself. It waits for the next read in the background, for at most a second.

mod contents;
mod handle;
mod known;
mod refresh;
mod snapshot;
mod unknown;

pub(crate) use handle::StoreDirectory;

/// Waits until the snapshot has the values of the first read.
#[cfg(test)]
pub(crate) async fn until_saved(snapshot: &std::path::Path) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !snapshot.exists() {
        assert!(std::time::Instant::now() < deadline, "the snapshot was not written");
        tokio::task::yield_now().await;
    }
}
