//! Spikes: open errors that happen much more often than in their own past.

use std::collections::BTreeMap;

use crate::error_status::Event;
use crate::notification::{MAX_HOURS, MIN_HOURS, is_spike};
use crate::store::database::Store;
use crate::store::engine::query;
use crate::store::error::StoreError;
use crate::store::error_status::add_limited_event;
use crate::store::locks::lock_app;

/// An hour and the part of it that counts are read by, in seconds.
const HOUR: i64 = 3_600;
const PART: i64 = 600;

const MICROS: i64 = 1_000_000;

/// The time after a spike in which the same error has no other one, in seconds.
const PAUSE: i64 = 24 * HOUR;

/// The number of errors of an app that are looked at: those that happened last.
const MAX_GROUPS: i64 = 200;

/// An error that may have a spike.
struct Candidate {
    group: i64,
    /// The start of its past, in seconds since 1970.
    since: i64,
}

impl Store {
    /// Looks for spikes, and adds them to the histories of their errors. `now` is in microseconds since 1970.
    pub(crate) async fn find_spikes(&self, now: i64) -> Result<(), StoreError> {
        let second = now.div_euclid(MICROS);
        // Up to the end of the part that has begun.
        let end = second - second.rem_euclid(PART) + PART;
        let apps = query("SELECT id FROM apps ORDER BY id").read_all(&self.readers).await?;
        for row in &apps {
            self.find_spikes_of(row.try_get(0)?, end, now).await?;
        }
        Ok(())
    }

    async fn find_spikes_of(&self, app_id: &str, end: i64, now: i64) -> Result<(), StoreError> {
        let candidates = self.candidates(app_id, now.div_euclid(MICROS)).await?;
        let groups: Vec<i64> = candidates.iter().map(|candidate| candidate.group).collect();
        let mut in_hours: BTreeMap<i64, i64> = BTreeMap::new();
        for row in self.error_counts(app_id, &groups, PART, (end - HOUR, end)).await? {
            let sum = in_hours.entry(row.group).or_default();
            *sum = sum.saturating_add(row.count);
        }
        for Candidate { group, since } in candidates {
            let in_hour = in_hours.get(&group).copied().unwrap_or(0);
            // Few errors are no spike, whatever the past is.
            if !is_spike(in_hour, 0, MAX_HOURS) {
                continue;
            }
            let whole_hour = |second: i64| second - second.rem_euclid(HOUR);
            let to = whole_hour(end - HOUR);
            let from = whole_hour(since).max(to - MAX_HOURS * HOUR);
            let hours = (to - from).div_euclid(HOUR);
            let before = self.error_counts(app_id, &[group], HOUR, (from, to)).await?;
            let before = before.iter().fold(0_i64, |sum, row| sum.saturating_add(row.count));
            if is_spike(in_hour, before, hours) {
                let per_day = before.saturating_mul(24).checked_div(hours).unwrap_or(0);
                self.add_spike(app_id, group, Event::Spiked { in_hour, per_day, days: hours / 24 }, now).await?;
            }
        }
        Ok(())
    }

    /// Returns the errors of an app that happened in the last minutes, are open, have a past, and had no spike lately.
    async fn candidates(&self, app_id: &str, second: i64) -> Result<Vec<Candidate>, StoreError> {
        let rows = query(
            "SELECT id, first_seen FROM error_groups
             WHERE app_id = ? AND last_seen >= ? AND status = 'open' AND merged_into IS NULL AND first_seen <= ?
               AND (spiked_at IS NULL OR spiked_at <= ?)
             ORDER BY last_seen DESC LIMIT ?",
        )
        .bind(app_id)
        .bind((second - PART) * MICROS)
        .bind((second - (MIN_HOURS + 1) * HOUR) * MICROS)
        .bind((second - PAUSE) * MICROS)
        .bind(MAX_GROUPS)
        .read_all(&self.readers)
        .await?;
        let candidate = |first_seen: i64| first_seen.div_euclid(MICROS);
        rows.iter()
            .map(|row| Ok(Candidate { group: row.try_get("id")?, since: candidate(row.try_get("first_seen")?) }))
            .collect()
    }

    async fn add_spike(&self, app_id: &str, group: i64, event: Event, now: i64) -> Result<(), StoreError> {
        let app_id = app_id.to_owned();
        self.write(move |connection| {
            lock_app(connection, &app_id)?;
            let update = "UPDATE error_groups SET spiked_at = ? WHERE id = ? AND (spiked_at IS NULL OR spiked_at <= ?)";
            let pause = now.saturating_sub(PAUSE * MICROS);
            // Another process may have found it too.
            if query(update).bind(now).bind(group).bind(pause).execute(connection)? > 0 {
                add_limited_event(connection, group, now, "", &event)?;
            }
            Ok(())
        })
        .await
    }
}
