//! Changes of the status of error groups, and their events.

use jiff::Timestamp;

use super::database::Store;
use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use super::locks::lock_app;
use crate::error_status::{Conditions, Event, MuteEnds, Seen, Status, StatusChange};

/// The number of a group's events that are kept. Further comments are refused, and changes of the status replace the oldest
/// event.
const MAX_KEPT: i64 = 1_000;

/// The number of newest events that are returned of a group.
const MAX_EVENTS: i64 = 200;

/// An event of a group.
#[derive(Clone, Debug)]
pub(crate) struct ActivityRow {
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// The name of the token or the person, or an empty string for the server.
    pub(crate) actor: String,
    /// The event.
    pub(crate) event: Event,
}

/// The result of adding a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commented {
    /// It was added.
    Added,
    /// The app has no such group.
    NoGroup,
    /// The group has too many comments.
    TooMany,
}

/// The groups of an app by number. A number of a merged group stands for the group that shows it.
pub(super) const SHOWN: &str =
    "app_id = ?1 AND id = (SELECT coalesce(merged_into, id) FROM error_groups WHERE app_id = ?1 AND number = ?2)";

/// Sets a group's status and the conditions for its end.
const SET_STATUS: &str = "UPDATE error_groups SET status = ?2, status_since = ?3, after_release = ?4, until_time = ?5,
     until_count = ?6, regressed_at = ?7 WHERE id = ?1";

impl Store {
    /// Changes the status of an app's groups, given their numbers. Returns the numbers of those that exist.
    pub(crate) async fn change_status(
        &self,
        app_id: &str,
        numbers: Vec<i64>,
        change: StatusChange,
        actor: &str,
        now: i64,
    ) -> Result<Vec<i64>, StoreError> {
        let (app_id, actor) = (app_id.to_owned(), actor.to_owned());
        self.write(move |connection| {
            lock_app(connection, &app_id)?;
            let newest = "SELECT coalesce(max(number), 0) FROM releases WHERE app_id = ?";
            let release: i64 = query(newest).bind(&app_id).fetch_one(connection)?.try_get(0)?;
            let mut changed = Vec::new();
            for number in numbers {
                let group = query(format!("SELECT id, status, times_seen FROM error_groups WHERE {SHOWN}"));
                let Some(row) = group.bind(&app_id).bind(number).fetch_optional(connection)? else { continue };
                let (group, times_seen): (i64, i64) = (row.try_get("id")?, row.try_get("times_seen")?);
                changed.push(number);
                if change == StatusChange::Open && Status::of(row.try_get("status")?) == Status::Open {
                    continue;
                }
                let (conditions, event) = changed_to(change, release, times_seen, now);
                set_status(connection, group, &conditions, None)?;
                add_limited_event(connection, group, now, &actor, &event)?;
            }
            Ok(changed)
        })
        .await
    }

    /// Adds a comment to a group.
    pub(crate) async fn comment(
        &self,
        app_id: &str,
        number: i64,
        text: &str,
        actor: &str,
        now: i64,
    ) -> Result<Commented, StoreError> {
        let (app_id, actor, event) = (app_id.to_owned(), actor.to_owned(), Event::Commented { text: text.to_owned() });
        self.write(move |connection| {
            lock_app(connection, &app_id)?;
            let row = query(format!(
                "SELECT id, (SELECT count(*) FROM activities WHERE group_id = error_groups.id) AS events
                 FROM error_groups WHERE {SHOWN}"
            ));
            let Some(row) = row.bind(&app_id).bind(number).fetch_optional(connection)? else {
                return Ok(Commented::NoGroup);
            };
            if row.try_get::<i64, _>("events")? >= MAX_KEPT {
                return Ok(Commented::TooMany);
            }
            add_event(connection, row.try_get("id")?, now, &actor, &event)?;
            Ok(Commented::Added)
        })
        .await
    }

    /// Returns the newest events of a group, the newest first.
    pub(crate) async fn activities(&self, group: i64) -> Result<Vec<ActivityRow>, StoreError> {
        let rows = query(
            "SELECT happened_at, actor, event FROM activities WHERE group_id = ?
             ORDER BY happened_at DESC, id DESC LIMIT ?",
        )
        .bind(group)
        .bind(MAX_EVENTS)
        .read_all(&self.readers)
        .await?;
        // Events that a newer version of the server wrote are left out.
        let event = |row: &Row<'_>| -> Result<Option<ActivityRow>, StoreError> {
            let Ok(event) = serde_json::from_str(row.try_get("event")?) else { return Ok(None) };
            Ok(Some(ActivityRow { happened_at: row.try_get("happened_at")?, actor: row.try_get("actor")?, event }))
        };
        rows.iter().filter_map(|row| event(row).transpose()).collect()
    }
}

/// Opens a group that is not open, if one of its new errors does. They are in the order of their time; `times_seen` is the
/// number of the group's errors with them.
pub(super) fn open_by_errors(
    connection: &mut Connection,
    group: i64,
    times_seen: i64,
    errors: impl Iterator<Item = Seen>,
) -> Result<(), StoreError> {
    let row =
        query("SELECT status, status_since, after_release, until_time, until_count FROM error_groups WHERE id = ?")
            .bind(group)
            .fetch_one(connection)?;
    let conditions = Conditions {
        status: Status::of(row.try_get("status")?),
        since: row.try_get("status_since")?,
        after_release: row.try_get("after_release")?,
        until_time: row.try_get("until_time")?,
        until_count: row.try_get("until_count")?,
    };
    let mut opened = errors.filter_map(|error| Some((error, conditions.opened_by(error, times_seen)?)));
    let Some((error, event)) = opened.next() else { return Ok(()) };
    let regressed_at = matches!(event, Event::Regressed { .. }).then_some(error.happened_at);
    set_status(connection, group, &open_since(error.happened_at), regressed_at)?;
    add_event(connection, group, error.happened_at, "", &event)
}

/// Returns the conditions and the event of a change. `release` is the number of the newest release.
fn changed_to(change: StatusChange, release: i64, times_seen: i64, now: i64) -> (Conditions, Event) {
    match change {
        StatusChange::Open => (open_since(now), Event::Opened),
        StatusChange::Resolve { in_next_release } => {
            let after_release = in_next_release.then_some(release);
            let conditions = Conditions { status: Status::Resolved, after_release, ..open_since(now) };
            (conditions, Event::Resolved { after_release })
        }
        StatusChange::Mute(MuteEnds { time, further_errors, next_release }) => {
            let after_release = next_release.then_some(release);
            let until_count = further_errors.map(|errors| times_seen.saturating_add(errors));
            let conditions =
                Conditions { status: Status::Muted, since: now, after_release, until_time: time, until_count };
            let until = time.and_then(|time| Timestamp::from_microsecond(time).ok());
            (conditions, Event::Muted { until, further_errors, after_release })
        }
    }
}

const fn open_since(since: i64) -> Conditions {
    Conditions { status: Status::Open, since, after_release: None, until_time: None, until_count: None }
}

fn set_status(
    connection: &mut Connection,
    group: i64,
    conditions: &Conditions,
    regressed_at: Option<i64>,
) -> Result<(), StoreError> {
    let values = vec![
        Value::from(group),
        conditions.status.as_str().into(),
        conditions.since.into(),
        conditions.after_release.into(),
        conditions.until_time.into(),
        conditions.until_count.into(),
        regressed_at.into(),
    ];
    connection.execute_many(SET_STATUS, &[values])?;
    Ok(())
}

/// Adds an event that can happen any number of times. It replaces the oldest one of a group that has too many.
pub(super) fn add_limited_event(
    connection: &mut Connection,
    group: i64,
    happened_at: i64,
    actor: &str,
    event: &Event,
) -> Result<(), StoreError> {
    add_event(connection, group, happened_at, actor, event)?;
    query(
        "DELETE FROM activities WHERE group_id = ?1 AND id IN (
             SELECT id FROM activities WHERE group_id = ?1
             ORDER BY happened_at DESC, id DESC LIMIT 1000000000 OFFSET ?2)",
    )
    .bind(group)
    .bind(MAX_KEPT)
    .execute(connection)?;
    Ok(())
}

/// Adds the event that a group's first error happened.
pub(super) fn add_created(
    connection: &mut Connection,
    group: i64,
    happened_at: i64,
    release: i64,
) -> Result<(), StoreError> {
    add_event(connection, group, happened_at, "", &Event::Created { release })
}

fn add_event(
    connection: &mut Connection,
    group: i64,
    happened_at: i64,
    actor: &str,
    event: &Event,
) -> Result<(), StoreError> {
    let event = serde_json::to_string(event).map_err(std::io::Error::from)?;
    // It is due for a notification at once.
    query("INSERT INTO activities (group_id, happened_at, actor, event, notify_at) VALUES (?, ?, ?, ?, 0)")
        .bind(group)
        .bind(happened_at)
        .bind(actor)
        .bind(event)
        .execute(connection)?;
    Ok(())
}
