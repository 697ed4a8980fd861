//! The times of fetches: which ones are due, and which ones run.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::store::RepositoryRow;

/// The time from the begin of a fetch to the next one that a new error asks for, in microseconds: errors of unknown
/// revisions can be many.
const PAUSE: i64 = 15_000_000;

/// The longest time from a failure to the next attempt, in microseconds.
const RETRY: i64 = 60_000_000;

/// The fetches of a process, by the apps' ids.
#[derive(Debug, Default)]
pub(super) struct Fetches(HashMap<String, Fetch>);

/// The last fetch of an app's repository.
#[derive(Debug, Default)]
struct Fetch {
    /// When the repository was connected: another time means another repository.
    connected_at: i64,
    /// The begin, in microseconds since 1970.
    begun_at: i64,
    /// The app's newest release then.
    release: i64,
    is_running: bool,
    has_failed: bool,
    /// Whether an error waits for another one.
    is_awaited: bool,
}

impl Fetches {
    /// Returns the repositories that are to be fetched now, in microseconds since 1970, at most a number of them. They count as
    /// running until [`Self::end`].
    pub(super) fn begin(
        &mut self,
        all: &[RepositoryRow],
        now: i64,
        interval: Duration,
        limit: usize,
    ) -> Vec<RepositoryRow> {
        let connected: HashSet<&str> = all.iter().map(|row| &*row.app_id).collect();
        self.0.retain(|app_id, fetch| fetch.is_running || connected.contains(&**app_id));
        let interval = i64::try_from(interval.as_micros()).unwrap_or(i64::MAX);
        let mut due = Vec::new();
        for row in all {
            if due.len() < limit && self.0.get(&row.app_id).is_none_or(|fetch| fetch.is_due(row, now, interval)) {
                let fetch = Fetch {
                    connected_at: row.connected_at,
                    begun_at: now,
                    release: row.newest_release,
                    is_running: true,
                    ..Fetch::default()
                };
                self.0.insert(row.app_id.clone(), fetch);
                due.push(row.clone());
            }
        }
        due
    }

    /// Marks the fetch of an app as over.
    pub(super) fn end(&mut self, app_id: &str, has_failed: bool) {
        if let Some(fetch) = self.0.get_mut(app_id) {
            (fetch.is_running, fetch.has_failed) = (false, has_failed);
        }
    }

    /// Returns whether the last fetch of an app began before a time, or is not over. It then becomes due.
    pub(super) fn await_after(&mut self, app_id: &str, asked_at: i64) -> bool {
        // The first one is due at once.
        let Some(fetch) = self.0.get_mut(app_id) else { return true };
        let is_late = fetch.begun_at < asked_at;
        fetch.is_awaited |= is_late;
        fetch.is_running || is_late
    }
}

impl Fetch {
    fn is_due(&self, row: &RepositoryRow, now: i64, interval: i64) -> bool {
        let age = now.saturating_sub(self.begun_at);
        let is_new = self.connected_at != row.connected_at || self.release < row.newest_release;
        let is_retry = self.has_failed && age >= RETRY;
        !self.is_running && (is_new || age >= interval || is_retry || (self.is_awaited && age >= PAUSE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewRepository;

    const SECOND: i64 = 1_000_000;
    const INTERVAL: Duration = Duration::from_secs(300);

    fn row(app_id: &str, newest_release: i64) -> RepositoryRow {
        RepositoryRow {
            app_id: app_id.to_owned(),
            app: format!("acme/{app_id}"),
            repository: NewRepository {
                url: "/srv/git/shop.git".to_owned(),
                token_file: String::new(),
                branch: String::new(),
                prefix: String::new(),
                allows_private: false,
            },
            connected_at: 1,
            assigns_authors: true,
            last_fetched_at: None,
            last_error: String::new(),
            newest_release,
        }
    }

    /// Begins and ends what is due at a second, and returns the apps.
    fn fetched_at(fetches: &mut Fetches, rows: &[RepositoryRow], second: i64, has_failed: bool) -> Vec<String> {
        let begun = fetches.begin(rows, second * SECOND, INTERVAL, 3);
        begun.iter().for_each(|row| fetches.end(&row.app_id, has_failed));
        begun.into_iter().map(|row| row.app_id).collect()
    }

    #[test]
    fn repositories_are_fetched_at_the_start_and_after_releases_and_sometimes() {
        let mut fetches = Fetches::default();
        assert!(fetches.await_after("a", 0), "nothing was fetched");
        let rows = [row("a", 0), row("b", 0)];
        assert_eq!(fetched_at(&mut fetches, &rows, 1_000, false), ["a", "b"]);
        assert!(fetched_at(&mut fetches, &rows, 1_299, false).is_empty());
        assert_eq!(fetched_at(&mut fetches, &rows, 1_300, false), ["a", "b"]);
        assert_eq!(fetched_at(&mut fetches, &[row("a", 1), row("b", 0)], 1_301, false), ["a"], "a release");
        assert!(fetched_at(&mut fetches, &[row("a", 1)], 1_302, false).is_empty());
        assert_eq!(fetched_at(&mut fetches, &[row("a", 1), row("b", 0)], 1_303, true), ["b"], "connected again");
        assert_eq!(fetched_at(&mut fetches, &[row("a", 1), row("b", 0)], 1_363, false), ["b"], "after a failure");
    }

    #[test]
    fn errors_of_new_revisions_wait_for_a_fetch_that_is_not_too_soon() {
        let mut fetches = Fetches::default();
        let rows = [row("a", 0)];
        fetched_at(&mut fetches, &rows, 1_000, false);
        assert!(!fetches.await_after("a", 999 * SECOND), "it was fetched since");
        assert!(fetches.await_after("a", 1_005 * SECOND));
        assert!(fetched_at(&mut fetches, &rows, 1_014, false).is_empty());
        assert_eq!(fetched_at(&mut fetches, &rows, 1_015, false), ["a"]);
        assert!(!fetches.await_after("a", 1_005 * SECOND));
        let begun = fetches.begin(&rows, 2_000 * SECOND, INTERVAL, 3);
        assert!(begun.len() == 1 && fetches.await_after("a", 0), "it is not over");
        assert!(fetches.begin(&rows, 3_000 * SECOND, INTERVAL, 3).is_empty());
    }

    #[test]
    fn only_some_run_at_the_same_time() {
        let mut fetches = Fetches::default();
        let rows: Vec<RepositoryRow> = ["a", "b", "c", "d"].map(|app| row(app, 0)).to_vec();
        assert_eq!(fetches.begin(&rows, SECOND, INTERVAL, 3).len(), 3);
        assert_eq!(fetches.begin(&rows, SECOND, INTERVAL, 0).len(), 0);
        assert_eq!(fetches.begin(&rows, SECOND, INTERVAL, 3)[0].app_id, "d");
    }
}
