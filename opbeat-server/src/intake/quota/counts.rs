//! The number of events that were accepted of each app on each day.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The seconds of a day. Days begin at midnight in UTC.
const DAY: i64 = 86_400;

/// The largest number of days of a quota.
pub(super) const MAX_DAYS: u32 = 366;

/// The events of an app on one day that are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredUsage {
    /// The app's id.
    pub(crate) app_id: String,
    /// The day, since 1970.
    pub(crate) day: i64,
    /// The number of events.
    pub(crate) events: u64,
}

/// The events that were accepted of each app, by day. Clones share them.
///
/// Events of this process count at once. Those of other processes, and those of earlier times, count when they are read
/// from the database. A day has the larger of both numbers, so that an event in the queue counts before it is stored. A
/// repeated delivery of a body counts again until its day is over, since only the store recognises it.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventCounts {
    apps: Arc<Mutex<HashMap<String, BTreeMap<i64, u64>>>>,
}

impl EventCounts {
    /// Returns the number of events of an app on `day` and the days before it, `days` in all.
    pub(crate) fn sum(&self, app_id: &str, day: i64, days: u32) -> u64 {
        self.lock().get(app_id).map_or(0, |counts| sum(counts, day, days))
    }

    /// Adds events of an app to `day`, unless its number on `days` days would become larger than `most`. Returns whether
    /// they were added.
    pub(crate) fn add(&self, app_id: &str, events: u64, (day, days): (i64, u32), most: u64) -> bool {
        let mut apps = self.lock();
        let known = apps.get(app_id).map_or(0, |counts| sum(counts, day, days));
        if known.saturating_add(events) > most {
            return false;
        }
        let counts = apps.entry(app_id.to_owned()).or_default();
        counts.retain(|earlier, _| *earlier > day.saturating_sub(MAX_DAYS.into()));
        let count = counts.entry(day).or_default();
        *count = count.saturating_add(events);
        true
    }

    /// Takes events back that were added but not stored.
    pub(crate) fn take_back(&self, app_id: &str, day: i64, events: u64) {
        if let Some(count) = self.lock().get_mut(app_id).and_then(|counts| counts.get_mut(&day)) {
            *count = count.saturating_sub(events);
        }
    }

    /// Counts the stored events. Forgets days that no quota is about.
    pub(super) fn set_stored(&self, today: i64, stored: impl IntoIterator<Item = StoredUsage>) {
        let mut apps = self.lock();
        for StoredUsage { app_id, day, events } in stored {
            let count = apps.entry(app_id).or_default().entry(day).or_default();
            *count = (*count).max(events);
        }
        apps.retain(|_, counts| {
            counts.retain(|day, _| *day > today.saturating_sub(MAX_DAYS.into()));
            !counts.is_empty()
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, BTreeMap<i64, u64>>> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sum(counts: &BTreeMap<i64, u64>, day: i64, days: u32) -> u64 {
    let first = day.saturating_sub(i64::from(days.clamp(1, MAX_DAYS)) - 1);
    counts.range(first..=day.max(first)).fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

/// Returns the day of a time in seconds since 1970, in days since 1970.
pub(crate) fn day_of(second: i64) -> i64 {
    second.div_euclid(DAY)
}

/// Returns the seconds from a time in seconds since 1970 until the next day begins.
pub(crate) fn seconds_until_next_day(second: i64) -> u32 {
    u32::try_from(DAY - second.rem_euclid(DAY)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_count_for_the_days_of_the_quota() {
        let counts = EventCounts::default();
        assert!(counts.add("shop", 4, (10, 2), 10));
        assert!(counts.add("shop", 6, (11, 2), 10));
        assert!(!counts.add("shop", 1, (11, 2), 10), "the quota is used up");
        assert!(counts.add("other", 10, (11, 2), 10), "each app has its own");
        assert!(counts.add("shop", 4, (12, 2), 10), "day 10 counts no more");
        assert_eq!((counts.sum("shop", 12, 2), counts.sum("shop", 12, 1), counts.sum("shop", 12, 3)), (10, 4, 14));
        counts.take_back("shop", 12, 3);
        assert_eq!(counts.sum("shop", 12, 2), 7);
    }

    #[test]
    fn stored_events_count_once() {
        let usage = |app: &str, day, events| StoredUsage { app_id: app.to_owned(), day, events };
        let counts = EventCounts::default();
        assert!(counts.add("shop", 5, (400, 1), 100));
        counts.set_stored(400, [usage("shop", 400, 3), usage("shop", 399, 7), usage("old", 34, 1)]);
        assert_eq!(counts.sum("shop", 400, 2), 12, "two of the events are still in the queue");
        counts.set_stored(400, [usage("shop", 400, 9)]);
        assert_eq!(counts.sum("shop", 400, 1), 9, "another process accepted four more");
        assert!(!counts.lock().contains_key("old"));
    }

    #[test]
    fn days_begin_at_midnight_in_utc() {
        assert_eq!([0, DAY - 1, DAY].map(day_of), [0, 0, 1]);
        assert_eq!([0, DAY - 1, DAY].map(seconds_until_next_day), [86_400, 1, 86_400]);
    }
}
