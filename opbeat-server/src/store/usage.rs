//! The events and bytes that apps sent, by the day of their receipt.

use std::collections::BTreeMap;

use super::counts::{signed, unsigned};
use super::database::Store;
use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use crate::changes::{BodyChanges, MAX_COUNT, Usage};
use crate::intake::{StoredUsage, day_of};

/// The usage of bodies, by app and day.
#[derive(Debug, Default)]
pub(super) struct DailyUsage(BTreeMap<(String, i64), Usage>);

impl DailyUsage {
    /// Adds the usage of a body.
    pub(super) fn add(&mut self, body: &BodyChanges) {
        if body.usage == Usage::default() {
            return;
        }
        let day = day_of(body.received_at.div_euclid(1_000_000));
        let total = self.0.entry((body.app_id.clone(), day)).or_default();
        total.events = total.events.saturating_add(body.usage.events);
        total.bytes = total.bytes.saturating_add(body.usage.bytes);
    }
}

/// Adds usage to the rows of its days.
pub(super) fn write(connection: &mut Connection, DailyUsage(days): &DailyUsage) -> Result<(), StoreError> {
    let row = |((app_id, day), usage): (&(String, i64), &Usage)| {
        vec![
            Value::from(app_id.clone()),
            (*day).into(),
            signed(usage.events).into(),
            signed(usage.bytes).into(),
            signed(MAX_COUNT).into(),
        ]
    };
    connection.execute_many(
        "INSERT INTO usage (app_id, day, events, bytes) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (app_id, day) DO UPDATE SET
             events = least(usage.events + excluded.events, ?5), bytes = least(usage.bytes + excluded.bytes, ?5)",
        &days.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

impl Store {
    /// Returns the usage of all apps since a day, in days since 1970.
    pub(crate) async fn usage_since(&self, day: i64) -> Result<Vec<StoredUsage>, StoreError> {
        let rows = query("SELECT app_id, day, events FROM usage WHERE day >= ?").bind(day);
        let rows = rows.read_all(&self.readers).await?;
        let usage = |row: &Row<'_>| {
            let events = unsigned(row.try_get("events")?);
            Ok(StoredUsage { app_id: row.try_get("app_id")?, day: row.try_get("day")?, events })
        };
        rows.iter().map(usage).collect()
    }
}
