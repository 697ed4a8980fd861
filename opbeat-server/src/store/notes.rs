//! The counts of values that intake changed, and of bodies that it refused.

use std::collections::BTreeMap;

use super::database::Store;
use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use super::read::count;
use crate::changes::NoteKey;

/// The largest count of a row. The sum of as many rows as a database can hold is still a valid number.
const MAX_COUNT: i64 = 1_000_000_000_000_000;

/// A count of notes.
#[derive(Clone, Debug)]
pub(crate) struct NoteRow {
    /// `changed` or `refused`.
    pub(crate) action: String,
    /// The reason.
    pub(crate) reason: String,
    /// The number of values or bodies.
    pub(crate) count: u64,
}

/// Adds notes to the rows of their minutes.
pub(super) fn write(connection: &mut Connection, notes: &BTreeMap<NoteKey, u64>) -> Result<(), StoreError> {
    let row = |(key, count): (&NoteKey, &u64)| {
        let count = i64::try_from(*count).unwrap_or(MAX_COUNT).min(MAX_COUNT);
        vec![
            Value::from(key.app_id.clone()),
            key.minute.into(),
            key.action.name().into(),
            key.reason.clone().into(),
            count.into(),
            MAX_COUNT.into(),
        ]
    };
    connection.execute_many(
        "INSERT INTO intake_notes (app_id, start, action, reason, count) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (app_id, start, action, reason) DO UPDATE SET count = least(intake_notes.count + excluded.count, ?6)",
        &notes.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

impl Store {
    /// Returns an app's notes in a range of time (seconds since 1970), the most frequent first.
    pub(crate) async fn notes(&self, app_id: &str, (from, to): (i64, i64)) -> Result<Vec<NoteRow>, StoreError> {
        let rows = query(
            "SELECT action, reason, sum(CAST(count AS DOUBLE PRECISION)) AS count FROM intake_notes
             WHERE app_id = ? AND start >= ? AND start < ? GROUP BY action, reason
             ORDER BY sum(CAST(count AS DOUBLE PRECISION)) DESC, action, reason LIMIT 200",
        )
        .bind(app_id)
        .bind(from)
        .bind(to)
        .read_all(&self.readers)
        .await?;
        let note = |row: &Row<'_>| {
            Ok(NoteRow {
                action: row.try_get("action")?,
                reason: row.try_get("reason")?,
                count: count(row.try_get("count")?),
            })
        };
        rows.iter().map(note).collect()
    }
}
