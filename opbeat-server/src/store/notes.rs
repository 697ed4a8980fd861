//! The counts of values that intake changed or the store counts under one name, and of bodies that were refused.

use std::collections::BTreeMap;

use super::caps::Cap;
use super::counts::count;
use super::database::Store;
use super::engine::{Connection, QueryBuilder, Row, Value, query};
use super::error::StoreError;
use crate::changes::{NoteAction, NoteKey};

/// The largest count of a row. The sum of as many rows as a database can hold is still a valid number.
const MAX_COUNT: i64 = 1_000_000_000_000_000;

/// A count of notes.
#[derive(Clone, Debug)]
pub(crate) struct NoteRow {
    /// `changed`, `refused` or `folded`.
    pub(crate) action: String,
    /// The reason.
    pub(crate) reason: String,
    /// The number of values or bodies.
    pub(crate) count: u64,
}

/// The last note of an app about data that was not stored.
#[derive(Clone, Debug)]
pub(crate) struct LastNote {
    /// `changed` or `refused`.
    pub(crate) action: String,
    /// The reason.
    pub(crate) reason: String,
    /// The start of its minute, in seconds since 1970.
    pub(crate) minute: i64,
}

/// The reason of notes on stored distributions that cannot be read.
const DAMAGED: &str = "damaged_distribution";

/// The notes that the store itself makes, by app.
#[derive(Debug, Default)]
pub(super) struct NewNotes(BTreeMap<(String, NoteAction, &'static str), u64>);

impl NewNotes {
    /// Counts values of an app that find no place under a cap.
    pub(super) fn fold(&mut self, app_id: &str, cap: &Cap, count: u64) {
        self.add(app_id, NoteAction::Folded, cap.reason, count);
    }

    /// Counts a row of an app whose distribution is damaged.
    pub(super) fn damage(&mut self, app_id: &str) {
        self.add(app_id, NoteAction::Changed, DAMAGED, 1);
    }

    fn add(&mut self, app_id: &str, action: NoteAction, reason: &'static str, count: u64) {
        if count > 0 {
            let total = self.0.entry((app_id.to_owned(), action, reason)).or_default();
            *total = total.saturating_add(count);
        }
    }

    /// Adds the notes to others, in the minute of a time in microseconds since 1970.
    pub(super) fn add_to(self, notes: &mut BTreeMap<NoteKey, u64>, now: i64) {
        let minute = now.div_euclid(60_000_000).saturating_mul(60);
        for ((app_id, action, reason), count) in self.0 {
            let key = NoteKey { app_id, minute, action, reason: reason.to_owned() };
            let total = notes.entry(key).or_default();
            *total = total.saturating_add(count);
        }
    }
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

    /// Returns the last note of an app that says that data was refused, or changed for one of some reasons. The most frequent
    /// reason of its minute decides, and refusals come first.
    pub(crate) async fn last_unstored(&self, app_id: &str, changed: &[&str]) -> Result<Option<LastNote>, StoreError> {
        let mut query = QueryBuilder::new("SELECT action, reason, start FROM intake_notes WHERE app_id = ");
        query.push_bind(app_id).push(" AND (action = 'refused' OR (action = 'changed' AND reason IN ");
        query.push_row(changed.iter().copied()).push(")) ORDER BY start DESC, action DESC, count DESC, reason LIMIT 1");
        let row = query.build().read_optional(&self.readers).await?;
        let note = |row: &Row<'_>| {
            Ok(LastNote {
                action: row.try_get("action")?,
                reason: row.try_get("reason")?,
                minute: row.try_get("start")?,
            })
        };
        row.as_ref().map(note).transpose()
    }
}
