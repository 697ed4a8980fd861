//! Errors, grouped by their fingerprint.

use std::collections::{BTreeMap, BTreeSet};

use super::caps::{ERRORS, OTHER_ERRORS, Places};
use super::counts::unsigned;
use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use super::error_status;
use super::error_values::{MAX_COUNT, NewValues};
use super::expiry::IS_REPETITION;
use super::ids::{self, Content, TimedRow};
use super::marks::AppMarks;
use super::notes::NewNotes;
use super::releases::Releases;
use crate::changes::{Grouping, GroupingRule, NewError, packed};
use crate::error_status::{Seen, Status};

/// The number of newest occurrences that are kept of each group, besides the first one and the latest of each release.
const MAX_NEWEST: usize = 50;

/// The number of newest occurrences that are kept of each group and second. An application that fails more often shows
/// the same failure again and again; the newest occurrences then cover more than one second.
const MAX_PER_SECOND: usize = 5;

/// A second in microseconds.
const SECOND: i64 = 1_000_000;

/// The fingerprint of their group. It begins with the version of the grouping, and is shorter than those of others.
pub(super) const OTHERS: &[u8] = b"\x02(other errors)";

/// The errors of one group, each with its position in the whole batch.
type Batch<'a> = Vec<(usize, &'a NewError)>;

/// A group that errors were added to.
struct Group {
    id: i64,
    /// When the first of its errors happened, in microseconds since 1970.
    first_seen: i64,
    /// The number of its errors.
    times_seen: i64,
    /// Whether it is neither resolved nor muted.
    is_open: bool,
    /// The group that shows it, if it is merged into another one.
    shown_by: Option<Box<Self>>,
    /// Whether these errors are its first ones.
    is_new: bool,
}

/// A group that may have more occurrences than are kept.
struct Full {
    group: Group,
    /// When the first of its new errors happened, in microseconds since 1970.
    since: i64,
}

/// An occurrence that is kept.
struct Occurrence<'a> {
    group: i64,
    error: &'a NewError,
    /// The number of the release that it happened in, or 0.
    release: i64,
}

/// Adds errors to their groups, and creates the groups that are missing.
///
/// Writes a group once and not for each error: a failure of an application causes many similar errors at once. An app's
/// groups beyond [`ERRORS`] share one.
pub(super) fn write(
    connection: &mut Connection,
    marks: &AppMarks,
    errors: &[NewError],
    notes: &mut NewNotes,
) -> Result<(), StoreError> {
    let mut counts = BTreeMap::new();
    let mut occurrences = Vec::new();
    let mut full = Vec::new();
    let mut values = NewValues::default();
    let releases = Releases::load(connection, errors.iter().map(|error| &*error.app_id))?;
    for (group, mut errors) in write_groups(connection, batches(errors), notes)? {
        count(group.id, marks, &errors, &mut counts);
        if let Some(shown_by) = &group.shown_by {
            count(shown_by.id, marks, &errors, &mut counts);
        }
        let shown_by = group.shown_by.as_ref().map(|shown_by| shown_by.id);
        errors.iter().for_each(|(_, error)| values.add(group.id, shown_by, error));
        // In the order of the ids that they get, so that the same ones are kept however errors are divided into batches.
        errors.sort_by_cached_key(|(position, error)| {
            (error.happened_at, ids::first_choice(error.happened_at, &content(error)), *position)
        });
        keep(&group, &errors, &releases, &mut occurrences);
        if group.is_new {
            let first = errors.first().map(|(_, error)| releases.at(&error.app_id, error.happened_at));
            error_status::add_created(connection, group.id, group.first_seen, first.unwrap_or(0))?;
        }
        let shown = group.shown_by.as_deref().unwrap_or(&group);
        if !shown.is_open {
            let seen = |(_, error): &(usize, &NewError)| Seen {
                happened_at: error.happened_at,
                release: releases.at(&error.app_id, error.happened_at),
            };
            error_status::open_by_errors(connection, shown.id, shown.times_seen, errors.iter().map(seen))?;
        }
        // No group has more occurrences than errors.
        if group.times_seen > MAX_PER_SECOND as i64 {
            full.push(Full { group, since: errors.first().map_or(0, |(_, error)| error.happened_at) });
        }
    }
    write_counts(connection, &counts)?;
    values.write(connection)?;
    write_occurrences(connection, &occurrences)?;
    remove_surplus(connection, &full)
}

/// Divides errors by group, in the order of each group's first error: groups are numbered in this order.
fn batches(errors: &[NewError]) -> Vec<Batch<'_>> {
    let mut positions: BTreeMap<(&str, &[u8]), usize> = BTreeMap::new();
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for (position, error) in errors.iter().enumerate() {
        let batch = *positions.entry((&error.app_id, &error.fingerprint)).or_insert_with(|| {
            batches.push(Vec::new());
            batches.len() - 1
        });
        batches[batch].push((position, error));
    }
    batches
}

/// Adds errors to the totals of their groups. Creates the groups that are missing as long as the app has places for them;
/// the errors of the others are in one group.
fn write_groups<'a>(
    connection: &mut Connection,
    batches: Vec<Batch<'a>>,
    notes: &mut NewNotes,
) -> Result<Vec<(Group, Batch<'a>)>, StoreError> {
    let totals = batches.iter().map(Totals::of).collect::<Result<Vec<_>, _>>()?;
    let known = connection.rows_many(UPDATE_GROUP, &totals.iter().map(Totals::values).collect::<Vec<_>>())?;
    let mut places = Places::new(&ERRORS);
    let mut groups = Vec::with_capacity(batches.len());
    let mut others: BTreeMap<&str, Batch<'a>> = BTreeMap::new();
    for ((batch, totals), known) in batches.into_iter().zip(totals).zip(known) {
        let group = match known.first() {
            Some(row) => shown_group(connection, row, &totals)?,
            None if places.take(connection, &totals.latest.app_id)? => create_group(connection, &totals)?,
            None => {
                notes.fold(&totals.latest.app_id, &ERRORS, unsigned(totals.times_seen));
                others.entry(&totals.latest.app_id).or_default().extend(batch);
                continue;
            }
        };
        groups.push((group, batch));
    }
    for batch in others.into_values() {
        let totals = Totals { is_shared: true, ..Totals::of(&batch)? };
        let known = connection.rows_many(UPDATE_GROUP, &[totals.values()])?;
        let group = match known.iter().flatten().next() {
            Some(row) => group(row)?,
            None => create_group(connection, &totals)?,
        };
        groups.push((group, batch));
    }
    Ok(groups)
}

/// The sums of the errors of a group.
struct Totals<'a> {
    /// The latest error, whose message, culprit and level the group shows.
    latest: &'a NewError,
    first_seen: i64,
    last_seen: i64,
    times_seen: i64,
    /// Whether it is the group that errors beyond the cap share.
    is_shared: bool,
}

impl<'a> Totals<'a> {
    fn of(errors: &Batch<'a>) -> Result<Self, StoreError> {
        let times = || errors.iter().map(|(_, error)| error.happened_at);
        let (first_seen, last_seen) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
        let latest = errors.iter().max_by_key(|(position, error)| (error.happened_at, *position));
        let Some((_, latest)) = latest else { return Err(std::io::Error::other("a group has no errors").into()) };
        let times_seen = errors.iter().fold(0_i64, |sum, (_, error)| sum.saturating_add(error.occurrences));
        Ok(Self { latest, first_seen, last_seen, times_seen: times_seen.min(MAX_COUNT), is_shared: false })
    }

    /// Returns the values of a group's columns, as [`UPDATE_GROUP`] and [`CREATE_GROUP`] have them.
    fn values(&self) -> Vec<Value<'a>> {
        let latest = self.latest;
        vec![
            Value::from(&latest.app_id),
            if self.is_shared { OTHERS.into() } else { (&latest.fingerprint).into() },
            self.first_seen.into(),
            self.last_seen.into(),
            self.times_seen.into(),
            MAX_COUNT.into(),
            (&latest.message).into(),
            (&latest.culprit).into(),
            if latest.level.is_empty() { "error" } else { &latest.level }.into(),
        ]
    }
}

/// Adds to the totals of a group. It shows the message, culprit and level of its latest occurrence.
const UPDATE_GROUP: &str = "UPDATE error_groups SET
     times_seen = least(times_seen + ?5, ?6),
     message = CASE WHEN ?4 >= last_seen THEN ?7 ELSE message END,
     culprit = CASE WHEN ?4 >= last_seen THEN ?8 ELSE culprit END,
     level = CASE WHEN ?4 >= last_seen THEN ?9 ELSE level END,
     first_seen = least(first_seen, ?3), last_seen = greatest(last_seen, ?4)
     WHERE app_id = ?1 AND fingerprint = ?2 RETURNING id, first_seen, times_seen, status, merged_into";

/// Adds to the sums of the group that shows a merged one.
const UPDATE_SHOWN: &str = "UPDATE error_groups SET times_seen = least(times_seen + ?4, ?5),
     first_seen = least(first_seen, ?2), last_seen = greatest(last_seen, ?3)
     WHERE id = ?1 RETURNING id, first_seen, times_seen, status, merged_into";

/// Creates a group with the next number of its app.
const CREATE_GROUP: &str = "INSERT INTO error_groups
         (app_id, number, fingerprint, first_seen, last_seen, times_seen, message, culprit, level, type_name, grouping)
     VALUES (?1, (SELECT next_error_number FROM apps WHERE id = ?1), ?2, ?3, ?4, least(CAST(?5 AS BIGINT), ?6), ?7, ?8, ?9, ?10,
             ?11)
     RETURNING id, first_seen, times_seen, status, merged_into";

fn create_group(connection: &mut Connection, totals: &Totals<'_>) -> Result<Group, StoreError> {
    let shared = Grouping { rule: GroupingRule::Others, parts: Vec::new() };
    let (type_name, grouping) = match totals.is_shared {
        true => (OTHER_ERRORS, &shared),
        false => (totals.latest.type_name.as_str(), &totals.latest.grouping),
    };
    let mut values = totals.values();
    values.extend([type_name.into(), serde_json::to_string(grouping).map_err(std::io::Error::from)?.into()]);
    let rows = connection.rows_many(CREATE_GROUP, &[values])?;
    let row = rows.iter().flatten().next();
    let group = group(row.ok_or_else(|| std::io::Error::other("the app of an error is missing"))?)?;
    query("UPDATE apps SET next_error_number = next_error_number + 1 WHERE id = ?")
        .bind(&totals.latest.app_id)
        .execute(connection)?;
    Ok(Group { is_new: true, ..group })
}

/// Returns a group that errors were added to. If it is merged into another one, they are added to that one too.
fn shown_group(connection: &mut Connection, row: &Row<'_>, totals: &Totals<'_>) -> Result<Group, StoreError> {
    let mut added = group(row)?;
    let Some(merged_into) = row.try_get::<Option<i64>, _>("merged_into")? else { return Ok(added) };
    let Totals { first_seen, last_seen, times_seen, .. } = *totals;
    let values = [merged_into, first_seen, last_seen, times_seen, MAX_COUNT].map(Value::from).to_vec();
    let shown_by = connection.rows_many(UPDATE_SHOWN, &[values])?;
    match shown_by.iter().flatten().next() {
        Some(row) => added.shown_by = Some(Box::new(group(row)?)),
        // Retention removed it.
        None => {
            query("UPDATE error_groups SET merged_into = NULL WHERE id = ?").bind(added.id).execute(connection)?;
        }
    }
    Ok(added)
}

fn group(row: &Row<'_>) -> Result<Group, StoreError> {
    Ok(Group {
        id: row.try_get("id")?,
        first_seen: row.try_get("first_seen")?,
        times_seen: row.try_get("times_seen")?,
        is_open: Status::of(row.try_get("status")?) == Status::Open,
        shown_by: None,
        is_new: false,
    })
}

/// Adds the errors of a group to the counts of their minutes, and of longer times that are complete, by group, resolution
/// and start.
fn count(group: i64, marks: &AppMarks, errors: &Batch<'_>, counts: &mut BTreeMap<(i64, i64, i64), i64>) {
    for (_, error) in errors {
        let second = error.happened_at.div_euclid(1_000_000);
        for resolution in marks.of(&error.app_id).resolutions(second - second.rem_euclid(60)) {
            let count = counts.entry((group, resolution, second - second.rem_euclid(resolution))).or_default();
            *count = count.saturating_add(error.occurrences).min(MAX_COUNT);
        }
    }
}

/// Adds the errors of a group that are among its newest, the latest of a release, or its first. `errors` are in the order
/// of their time.
fn keep<'a>(group: &Group, errors: &Batch<'a>, releases: &Releases, occurrences: &mut Vec<Occurrence<'a>>) {
    let (mut newest, mut of_second, mut second) = (0, 0, None);
    let mut seen = BTreeSet::new();
    for (index, (_, error)) in errors.iter().enumerate().rev() {
        let this_second = Some(error.happened_at.div_euclid(SECOND));
        if this_second != second {
            (second, of_second) = (this_second, 0);
        }
        let release = releases.at(&error.app_id, error.happened_at);
        let is_newest = of_second < MAX_PER_SECOND && newest < MAX_NEWEST;
        let is_latest = seen.insert(release);
        let is_first = index == 0 && error.happened_at == group.first_seen;
        if is_newest || is_latest || is_first {
            (newest, of_second) = (newest + 1, of_second + 1);
            occurrences.push(Occurrence { group: group.id, error, release });
        }
    }
}

fn write_counts(connection: &mut Connection, counts: &BTreeMap<(i64, i64, i64), i64>) -> Result<(), StoreError> {
    let row = |((group, resolution, start), count): (&(i64, i64, i64), &i64)| {
        [*group, *resolution, *start, *count, MAX_COUNT].map(Value::from).to_vec()
    };
    connection.execute_many(
        "INSERT INTO error_rollups (group_id, resolution, start, count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (group_id, resolution, start) DO UPDATE SET
             count = least(error_rollups.count + excluded.count, ?5)",
        &counts.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

fn write_occurrences(connection: &mut Connection, occurrences: &[Occurrence<'_>]) -> Result<(), StoreError> {
    let rows = occurrences.iter().map(row).collect::<Result<_, _>>()?;
    ids::insert(
        connection,
        "INSERT INTO error_occurrences (id, group_id, happened_at, transaction_name, transaction_external_id,
                                        client_supplied_id, notes, document, release, user_key)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        rows,
    )
}

/// Returns the checksum of an error. The id of the group is not part of it, since the database numbers groups.
fn content(error: &NewError) -> Content {
    Content::of([
        error.app_id.as_bytes(),
        &error.fingerprint,
        &error.happened_at.to_le_bytes(),
        error.external_id.as_bytes(),
        &error.document,
    ])
}

fn row<'e>(Occurrence { group, error, release }: &Occurrence<'e>) -> Result<TimedRow<'e>, StoreError> {
    let values = vec![
        Value::from(*group),
        error.happened_at.into(),
        (&error.transaction_name).into(),
        (&error.transaction_external_id).into(),
        (&error.external_id).into(),
        String::from_utf8_lossy(&error.notes).into(),
        packed(&error.document)?.into(),
        (*release).into(),
        error.user.as_ref().map(|user| user.key.to_vec()).into(),
    ];
    Ok(TimedRow { happened_at: error.happened_at, content: content(error), values })
}

/// Removes the occurrences of groups that are neither the first, nor the latest of a release, nor among the newest.
fn remove_surplus(connection: &mut Connection, groups: &[Full]) -> Result<(), StoreError> {
    let of_second = |Full { group, since }: &Full| {
        [group.id, since - since.rem_euclid(SECOND), SECOND, MAX_PER_SECOND as i64].map(Value::from).to_vec()
    };
    let delete = format!(
        "DELETE FROM error_occurrences WHERE group_id = ?1 AND id IN (
             SELECT id FROM error_occurrences WHERE {IS_REPETITION} AND id IN (
                 SELECT id FROM (
                     SELECT id, row_number() OVER (PARTITION BY happened_at / ?3 ORDER BY happened_at DESC, id DESC) AS number
                     FROM error_occurrences WHERE group_id = ?1 AND happened_at >= ?2
                 ) AS numbered WHERE number > ?4))"
    );
    connection.execute_many(&delete, &groups.iter().map(of_second).collect::<Vec<_>>())?;
    let is_full = |Full { group, .. }: &&Full| group.times_seen > MAX_NEWEST as i64;
    let of_group = |Full { group, .. }: &Full| [group.id, MAX_NEWEST as i64].map(Value::from).to_vec();
    // Both orders are those of the index on the group and the time.
    let delete = format!(
        "DELETE FROM error_occurrences WHERE group_id = ?1 AND id IN (
             SELECT id FROM error_occurrences WHERE {IS_REPETITION} AND id IN (
                 SELECT id FROM error_occurrences WHERE group_id = ?1
                 ORDER BY happened_at DESC, id DESC LIMIT 1000000000 OFFSET ?2))"
    );
    connection.execute_many(&delete, &groups.iter().filter(is_full).map(of_group).collect::<Vec<_>>())?;
    Ok(())
}
