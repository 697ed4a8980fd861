//! Merging error groups, and splitting them again.
//!
//! A merged group keeps its row, its counts and its occurrences. The group that it is merged into keeps its message and has the
//! sums of both, and new errors of the merged one are added to both. A split subtracts, and is exact. Users are counted again.

use std::collections::BTreeSet;

use super::database::Store;
use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use super::error_status::{SHOWN, add_limited_event};
use super::error_values::{MAX_COUNT, count_users};
use super::errors::OTHERS;
use super::locks::lock_app;
use crate::error_status::Event;

/// The largest number of groups that are merged into one.
const MAX_MERGED: usize = 100;

/// The result of merging or splitting groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    /// It was done. The number is that of the group that shows, or showed, the others.
    Done(i64),
    /// The app has no such group.
    NoGroup,
    /// There is nothing to merge: all numbers are those of one group.
    Same,
    /// A group is not merged into the other one.
    Apart,
    /// One is the group of the errors beyond the limit of different ones.
    Others,
    /// More than 100 groups would be merged into one.
    TooMany,
}

/// A group that is merged into another one.
#[derive(Clone, Debug)]
pub(crate) struct MergedRow {
    /// Its number in the app.
    pub(crate) number: i64,
    /// The errors' type, or an empty string.
    pub(crate) type_name: String,
    /// The message of the latest one.
    pub(crate) message: String,
    /// The number of its errors.
    pub(crate) times_seen: i64,
}

/// A group, as far as merging needs it.
#[derive(Clone, Debug)]
struct Group {
    id: i64,
    number: i64,
    first_seen: i64,
    last_seen: i64,
    times_seen: i64,
    is_others: bool,
    merged_into: Option<i64>,
}

const COLUMNS: &str = "id, number, fingerprint, first_seen, last_seen, times_seen, merged_into";

impl Store {
    /// Returns the groups that are merged into one, in the order of their numbers.
    pub(crate) async fn merged_errors(&self, group: i64) -> Result<Vec<MergedRow>, StoreError> {
        let rows = query(
            "SELECT number, type_name, message, times_seen FROM error_groups WHERE merged_into = ? ORDER BY number LIMIT 100",
        )
        .bind(group)
        .read_all(&self.readers)
        .await?;
        let merged = |row: &Row<'_>| {
            Ok(MergedRow {
                number: row.try_get("number")?,
                type_name: row.try_get("type_name")?,
                message: row.try_get("message")?,
                times_seen: row.try_get("times_seen")?,
            })
        };
        rows.iter().map(merged).collect()
    }

    /// Merges error groups of an app into one of them, given their numbers.
    pub(crate) async fn merge_errors(
        &self,
        app_id: &str,
        into: i64,
        numbers: Vec<i64>,
        actor: &str,
        now: i64,
    ) -> Result<Merged, StoreError> {
        let (app_id, actor) = (app_id.to_owned(), actor.to_owned());
        self.write(move |connection| {
            let Some(mut root) = locked(connection, &app_id, into)? else { return Ok(Merged::NoGroup) };
            let mut sources: Vec<Group> = Vec::new();
            for number in numbers {
                let Some(source) = shown(connection, &app_id, number)? else { return Ok(Merged::NoGroup) };
                if source.id != root.id && sources.iter().all(|known| known.id != source.id) {
                    sources.push(source);
                }
            }
            if sources.is_empty() {
                return Ok(Merged::Same);
            }
            if root.is_others || sources.iter().any(|source| source.is_others) {
                return Ok(Merged::Others);
            }
            let mut all = merged(connection, root.id)?.len() + sources.len();
            let mut children = Vec::new();
            for source in &sources {
                children.push(merged(connection, source.id)?);
                all += children.last().map_or(0, Vec::len);
            }
            if all > MAX_MERGED {
                return Ok(Merged::TooMany);
            }
            let changed: BTreeSet<i64> = sources.iter().map(|source| source.id).chain([root.id]).collect();
            for (mut source, children) in sources.into_iter().zip(children) {
                for child in children {
                    subtract(connection, &mut source, &child)?;
                    add(connection, &mut root, &child)?;
                }
                add(connection, &mut root, &source)?;
                let event = Event::Merged { error: source.number };
                add_limited_event(connection, root.id, now, &actor, &event)?;
                add_limited_event(connection, source.id, now, &actor, &Event::MergedInto { error: root.number })?;
            }
            count_users(connection, &changed)?;
            Ok(Merged::Done(root.number))
        })
        .await
    }

    /// Splits merged groups from the one that shows them, given their numbers.
    pub(crate) async fn split_errors(
        &self,
        app_id: &str,
        from: i64,
        numbers: Vec<i64>,
        actor: &str,
        now: i64,
    ) -> Result<Merged, StoreError> {
        let (app_id, actor) = (app_id.to_owned(), actor.to_owned());
        self.write(move |connection| {
            let Some(mut root) = locked(connection, &app_id, from)? else { return Ok(Merged::NoGroup) };
            let mut sources = Vec::new();
            for number in numbers {
                let Some(source) = numbered(connection, &app_id, number)? else { return Ok(Merged::NoGroup) };
                if source.merged_into != Some(root.id) {
                    return Ok(Merged::Apart);
                }
                sources.push(source);
            }
            let changed: BTreeSet<i64> = sources.iter().map(|source| source.id).chain([root.id]).collect();
            for source in sources {
                subtract(connection, &mut root, &source)?;
                query("UPDATE error_groups SET merged_into = NULL WHERE id = ?").bind(source.id).execute(connection)?;
                let event = Event::Split { error: source.number };
                add_limited_event(connection, root.id, now, &actor, &event)?;
                add_limited_event(connection, source.id, now, &actor, &Event::SplitFrom { error: root.number })?;
            }
            count_users(connection, &changed)?;
            Ok(Merged::Done(root.number))
        })
        .await
    }
}

/// Waits until no other process stores data of the app, and returns the group of a number, or the one that shows it.
fn locked(connection: &mut Connection, app_id: &str, number: i64) -> Result<Option<Group>, StoreError> {
    lock_app(connection, app_id)?;
    shown(connection, app_id, number)
}

/// Returns the group of a number, or the one that shows it.
fn shown(connection: &mut Connection, app_id: &str, number: i64) -> Result<Option<Group>, StoreError> {
    let row = query(format!("SELECT {COLUMNS} FROM error_groups WHERE {SHOWN}"));
    row.bind(app_id).bind(number).fetch_optional(connection)?.as_ref().map(group).transpose()
}

/// Returns the group of a number, merged or not.
fn numbered(connection: &mut Connection, app_id: &str, number: i64) -> Result<Option<Group>, StoreError> {
    let row = query(format!("SELECT {COLUMNS} FROM error_groups WHERE app_id = ? AND number = ?"));
    row.bind(app_id).bind(number).fetch_optional(connection)?.as_ref().map(group).transpose()
}

/// Returns the groups that are merged into one.
fn merged(connection: &mut Connection, group_id: i64) -> Result<Vec<Group>, StoreError> {
    let rows = query(format!("SELECT {COLUMNS} FROM error_groups WHERE merged_into = ? ORDER BY id"));
    rows.bind(group_id).fetch_all(connection)?.iter().map(group).collect()
}

/// Adds the errors of a group to another one, which shows it from now on.
fn add(connection: &mut Connection, to: &mut Group, what: &Group) -> Result<(), StoreError> {
    query(
        "INSERT INTO error_rollups (group_id, resolution, start, count)
         SELECT CAST(?1 AS BIGINT), resolution, start, count FROM error_rollups WHERE group_id = ?2
         ON CONFLICT (group_id, resolution, start) DO UPDATE SET count = least(error_rollups.count + excluded.count, ?3)",
    )
    .bind(to.id)
    .bind(what.id)
    .bind(MAX_COUNT)
    .execute(connection)?;
    to.first_seen = to.first_seen.min(what.first_seen);
    to.last_seen = to.last_seen.max(what.last_seen);
    to.times_seen = to.times_seen.saturating_add(what.times_seen).min(MAX_COUNT);
    write(connection, to)?;
    query("UPDATE error_groups SET merged_into = ?, assignment_due = 0 WHERE id = ?")
        .bind(to.id)
        .bind(what.id)
        .execute(connection)?;
    Ok(())
}

/// Removes the errors of a merged group from the one that shows it.
fn subtract(connection: &mut Connection, from: &mut Group, what: &Group) -> Result<(), StoreError> {
    query(
        "UPDATE error_rollups SET count = count - (
             SELECT merged.count FROM error_rollups AS merged WHERE merged.group_id = ?2
               AND merged.resolution = error_rollups.resolution AND merged.start = error_rollups.start)
         WHERE group_id = ?1 AND EXISTS (
             SELECT 1 FROM error_rollups AS merged WHERE merged.group_id = ?2
               AND merged.resolution = error_rollups.resolution AND merged.start = error_rollups.start)",
    )
    .bind(from.id)
    .bind(what.id)
    .execute(connection)?;
    query("DELETE FROM error_rollups WHERE group_id = ? AND count <= 0").bind(from.id).execute(connection)?;
    from.times_seen = from.times_seen.saturating_sub(what.times_seen).max(1);
    // The first and the latest occurrence of each group are kept, of those that it still shows too.
    let row = query(
        "SELECT min(happened_at) AS first_seen, max(happened_at) AS last_seen FROM error_occurrences
         WHERE group_id IN (SELECT id FROM error_groups WHERE (id = ?1 OR merged_into = ?1) AND id <> ?2)",
    )
    .bind(from.id)
    .bind(what.id)
    .fetch_one(connection)?;
    from.first_seen = row.try_get::<Option<i64>, _>("first_seen")?.unwrap_or(from.first_seen);
    from.last_seen = row.try_get::<Option<i64>, _>("last_seen")?.unwrap_or(from.last_seen);
    write(connection, from)
}

fn write(connection: &mut Connection, group: &Group) -> Result<(), StoreError> {
    let values = vec![Value::from(group.id), group.first_seen.into(), group.last_seen.into(), group.times_seen.into()];
    let update = "UPDATE error_groups SET first_seen = ?2, last_seen = ?3, times_seen = ?4 WHERE id = ?1";
    connection.execute_many(update, &[values])?;
    Ok(())
}

fn group(row: &Row<'_>) -> Result<Group, StoreError> {
    Ok(Group {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        first_seen: row.try_get("first_seen")?,
        last_seen: row.try_get("last_seen")?,
        times_seen: row.try_get("times_seen")?,
        is_others: row.try_get::<&[u8], _>("fingerprint")? == OTHERS,
        merged_into: row.try_get("merged_into")?,
    })
}
