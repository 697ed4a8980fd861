//! The loop that fetches repositories.

use std::time::{Duration, SystemTime};

use opbeat_protocol::Timestamp;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::Repositories;
use crate::store::{RepositoryRow, Store};

/// The time between two looks for repositories to fetch.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The number of fetches that run at the same time. One that hangs does not keep the others waiting.
const MAX_RUNNING: usize = 3;

/// Fetches repositories, again and again.
pub(crate) async fn keep_fetched(repositories: &Repositories, store: &Store) {
    let mut looks = tokio::time::interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            Some(_) = running.join_next(), if !running.is_empty() => continue,
        }
        let all = match store.repositories().await {
            Ok(all) => all,
            Err(error) => {
                tracing::debug!(%error, "the repositories cannot be read; it is tried again in a second");
                continue;
            }
        };
        let now = Timestamp::from(SystemTime::now()).micros();
        let free = MAX_RUNNING.saturating_sub(running.len());
        for row in repositories.fetches().begin(&all, now, repositories.limits.fetch_interval, free) {
            running.spawn(fetch(repositories.clone(), store.clone(), row, now));
        }
    }
}

async fn fetch(repositories: Repositories, store: Store, row: RepositoryRow, now: i64) {
    let RepositoryRow { app_id, app, repository, last_error, .. } = row;
    let (blocking, id) = (repositories.clone(), app_id.clone());
    let fetched = tokio::task::spawn_blocking(move || {
        blocking.fetch(&id, &repository).inspect(|()| blocking.remove_former(&id, &repository))
    });
    let fetched = fetched.await;
    let failure = match fetched {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => Some(failure),
        Err(error) => Some(format!("the fetch failed unexpectedly: {error}")),
    };
    match &failure {
        Some(failure) if *failure != last_error => {
            tracing::warn!(app, failure, "the repository of an app cannot be fetched; it is tried again");
        }
        _ => tracing::debug!(app, has_failed = failure.is_some(), "the repository of an app was fetched"),
    }
    let has_failed = failure.is_some();
    if let Err(error) = store.add_fetch(&app_id, now, failure).await {
        tracing::debug!(%error, app, "the result of a fetch cannot be stored; the next one is");
    }
    repositories.fetches().end(&app_id, has_failed);
}
