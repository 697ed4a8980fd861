//! Runs of scheduled jobs.

use std::collections::BTreeMap;

use super::engine::{Connection, query};
use super::error::StoreError;
use crate::changes::NewCheckIn;

/// The number of newest runs that are kept of each monitor.
const KEPT: i64 = 100;

/// The largest number of monitors of an app. Runs of further ones are not stored: names with ids in them are a mistake.
const MAX_MONITORS: i64 = 1_000;

/// Adds runs, completes runs that have ended, and removes those that are not kept.
pub(super) fn write(connection: &mut Connection, check_ins: &[NewCheckIn]) -> Result<(), StoreError> {
    let mut free: BTreeMap<&str, i64> = BTreeMap::new();
    // Whether each monitor has a place.
    let mut touched: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for check_in in check_ins {
        let key = (check_in.app_id.as_str(), check_in.monitor.as_str());
        let is_kept = match touched.get(&key) {
            Some(is_kept) => *is_kept,
            None => {
                let is_kept = has_place(connection, key, &mut free)?;
                touched.insert(key, is_kept);
                is_kept
            }
        };
        if is_kept {
            put(connection, check_in)?;
        }
    }
    for (key, _) in touched.into_iter().filter(|(_, is_kept)| *is_kept) {
        remove_surplus(connection, key)?;
    }
    Ok(())
}

/// Returns whether a monitor is known, or the app has room for it.
fn has_place<'c>(
    connection: &mut Connection,
    (app_id, monitor): (&'c str, &str),
    free: &mut BTreeMap<&'c str, i64>,
) -> Result<bool, StoreError> {
    let known = query("SELECT 1 FROM check_ins WHERE app_id = ? AND monitor = ? LIMIT 1");
    if known.bind(app_id).bind(monitor).fetch_optional(&mut *connection)?.is_some() {
        return Ok(true);
    }
    if !free.contains_key(app_id) {
        let monitors = query("SELECT count(DISTINCT monitor) FROM check_ins WHERE app_id = ?");
        let monitors: i64 = monitors.bind(app_id).fetch_one(&mut *connection)?.try_get(0)?;
        free.insert(app_id, MAX_MONITORS - monitors);
    }
    let Some(left) = free.get_mut(app_id).filter(|left| **left > 0) else { return Ok(false) };
    *left -= 1;
    Ok(true)
}

/// Adds a run. The start of a run that arrives after its end changes nothing.
fn put(connection: &mut Connection, check_in: &NewCheckIn) -> Result<(), StoreError> {
    query(
        "INSERT INTO check_ins (app_id, monitor, started_at, schedule, time_zone, grace_seconds, duration_ms, result)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (app_id, monitor, started_at) DO UPDATE SET
             duration_ms = excluded.duration_ms, result = excluded.result
         WHERE excluded.duration_ms IS NOT NULL",
    )
    .bind(&check_in.app_id)
    .bind(&check_in.monitor)
    .bind(check_in.started_at)
    .bind(&check_in.schedule)
    .bind(&check_in.time_zone)
    .bind(check_in.grace_seconds)
    .bind(check_in.duration_ms)
    .bind(&check_in.result)
    .execute(connection)?;
    Ok(())
}

fn remove_surplus(connection: &mut Connection, (app_id, monitor): (&str, &str)) -> Result<(), StoreError> {
    query(
        "DELETE FROM check_ins WHERE app_id = ?1 AND monitor = ?2 AND started_at <= (
             SELECT started_at FROM check_ins WHERE app_id = ?1 AND monitor = ?2
             ORDER BY started_at DESC LIMIT 1 OFFSET ?3
         )",
    )
    .bind(app_id)
    .bind(monitor)
    .bind(KEPT)
    .execute(connection)?;
    Ok(())
}
