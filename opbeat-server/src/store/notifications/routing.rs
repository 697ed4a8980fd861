//! The routing of activities that are due: from an error's history to rows of the outbox, in one transaction.

use super::recipients::{To, channels, is_receiver, persons};
use super::{budget, outbox};
use crate::error_status::Status;
use crate::notification::{About, ChannelFilter, Due, ErrorActivity, Group, HOUR, Message, Named, Suppressed};
use crate::notification::{is_important, plan};
use crate::random::{hex, random_hex};
use crate::store::AssignmentRow;
use crate::store::assignments::{ASSIGNMENT, assignment};
use crate::store::database::Store;
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;
use crate::store::locks::{Lock, lock_each, try_lock};
use crate::text::shortened;
use sha2::{Digest, Sha256};

/// The number of errors whose activities are routed in one transaction, and of receivers with suppressed messages.
const CHUNK: i64 = 50;

/// The largest number of activities of one error that are routed at once.
const MAX_DUE: i64 = 200;

/// The longest texts of errors and comments in a message, in characters.
const MAX_TEXT: usize = 1_000;

/// The limits of the routing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Routing {
    /// The time between two messages about the same error, in microseconds.
    pub(crate) cool_down: i64,
    /// The number of messages of an app that a receiver gets in an hour.
    pub(crate) hourly: i64,
    /// Whether mails can be sent.
    pub(crate) has_mail: bool,
}

/// An error with activities that are due.
struct Subject {
    group: i64,
    organization: Named,
    app: Named,
    team: Option<i64>,
    status: Group,
    assignment: AssignmentRow,
    /// The facts, without an activity.
    facts: ErrorActivity,
}

impl Store {
    /// Routes activities that are due: puts their messages into the outbox. Returns whether there may be more.
    ///
    /// Activities of an error that the worker has yet to assign wait, so that the first message names the assignee.
    pub(crate) async fn route_due(&self, routing: Routing, now: i64) -> Result<bool, StoreError> {
        let any = query(
            "SELECT 1 WHERE EXISTS (
                 SELECT 1 FROM activities JOIN error_groups ON error_groups.id = activities.group_id
                 WHERE activities.notify_at <= ?1 AND error_groups.assignment_due = 0)
             OR EXISTS (SELECT 1 FROM notification_budgets WHERE suppressed > 0 AND started_at <= ?2)",
        );
        if any.bind(now).bind(now.saturating_sub(HOUR)).read_optional(&self.readers).await?.is_none() {
            return Ok(false);
        }
        self.write(move |connection| {
            // Another process routes them.
            if !try_lock(connection, Lock::Notifications)? {
                return Ok(false);
            }
            let groups = query(
                "SELECT DISTINCT activities.group_id, error_groups.app_id
                 FROM activities JOIN error_groups ON error_groups.id = activities.group_id
                 WHERE activities.notify_at <= ? AND error_groups.assignment_due = 0
                 ORDER BY activities.group_id LIMIT ?",
            );
            let groups = groups.bind(now).bind(CHUNK).fetch_all(connection)?;
            let apps = groups.iter().map(|row| row.try_get("app_id")).collect::<Result<Vec<&str>, _>>()?;
            lock_each(connection, apps)?;
            for row in &groups {
                route(connection, row.try_get(0)?, routing, now)?;
            }
            report_suppressed(connection, routing, now)?;
            Ok(groups.len() as i64 >= CHUNK)
        })
        .await
    }
}

/// Routes the activities of one error.
fn route(connection: &mut Connection, group: i64, routing: Routing, now: i64) -> Result<(), StoreError> {
    let due = due(connection, group, now)?;
    let subject = subject(connection, group)?;
    let known: Vec<Due> = due.iter().filter_map(|(_, due)| due.clone()).collect();
    let plan = plan(&known, subject.status, now, routing.cool_down);
    let channels = channels(connection, &subject.app.id)?;
    for (index, repeats) in &plan.send {
        let activity = &known[*index];
        let message = subject.message(activity, *repeats, now);
        let is_for = |filter: ChannelFilter| filter == ChannelFilter::All || is_important(&activity.event);
        let mut receivers: Vec<To> =
            channels.iter().filter(|(_, filter)| is_for(*filter)).map(|(id, _)| To::Channel(*id)).collect();
        if routing.has_mail {
            let assignee = subject.assignment.assignee.as_ref();
            let persons = persons(connection, &subject.organization.id, activity, assignee, subject.team)?;
            receivers.extend(persons.into_iter().map(To::Person));
        }
        for to in receivers {
            send(connection, &to, message.clone(), routing.hourly)?;
        }
    }
    let later = plan.later.map(|(indexes, until)| {
        let ids: Vec<i64> = indexes.iter().map(|index| known[*index].id).collect();
        (ids, until)
    });
    for (id, _) in &due {
        let until = later.as_ref().filter(|(ids, _)| ids.contains(id)).map(|(_, until)| *until);
        query("UPDATE activities SET notify_at = ? WHERE id = ?").bind(until).bind(*id).execute(connection)?;
    }
    if plan.begins_cool_down {
        query("UPDATE error_groups SET notified_at = ? WHERE id = ?").bind(now).bind(group).execute(connection)?;
    }
    Ok(())
}

/// Puts a message into the outbox, unless the receiver's budget is spent.
fn send(connection: &mut Connection, to: &To, mut message: Message, hourly: i64) -> Result<(), StoreError> {
    let now = message.created_at;
    if let Some(over_budget) = budget::spend(connection, (&message.app.id, to), hourly, now)? {
        message.suppressed.over_budget = over_budget;
        outbox::add(connection, to, &message)?;
    }
    Ok(())
}

/// Adds a message for each receiver whose hour is over, with the number of suppressed messages, if no other message had it.
fn report_suppressed(connection: &mut Connection, routing: Routing, now: i64) -> Result<(), StoreError> {
    for (app_id, to) in budget::silent(connection, now, CHUNK)? {
        if !is_receiver(connection, &app_id, &to)? {
            budget::remove(connection, &app_id, &to)?;
            continue;
        }
        let names = query(
            "SELECT organizations.id, organizations.short_name, apps.short_name AS app
             FROM apps JOIN organizations ON organizations.id = apps.organization_id WHERE apps.id = ?",
        );
        let row = names.bind(&app_id).fetch_one(connection)?;
        let message = Message {
            id: random_hex::<16>(),
            created_at: now,
            organization: Named { id: row.try_get("id")?, name: row.try_get("short_name")? },
            app: Named { id: app_id, name: row.try_get("app")? },
            about: About::Suppressed,
            suppressed: Suppressed::default(),
        };
        send(connection, &to, message, routing.hourly)?;
    }
    Ok(())
}

/// Returns the activities of an error that are due, in the order of their ids. One that a newer version of the server wrote
/// has an id only.
fn due(connection: &mut Connection, group: i64, now: i64) -> Result<Vec<(i64, Option<Due>)>, StoreError> {
    let rows = query(
        "SELECT id, happened_at, actor, event FROM activities WHERE group_id = ? AND notify_at <= ? ORDER BY id LIMIT ?",
    );
    let rows = rows.bind(group).bind(now).bind(MAX_DUE).fetch_all(connection)?;
    let due = |row: &Row<'_>| -> Result<(i64, Option<Due>), StoreError> {
        let (id, happened_at, actor) = (row.try_get("id")?, row.try_get("happened_at")?, row.try_get("actor")?);
        let event = serde_json::from_str(row.try_get("event")?).ok();
        Ok((id, event.map(|event| Due { id, happened_at, actor, event })))
    };
    rows.iter().map(due).collect()
}

fn subject(connection: &mut Connection, group: i64) -> Result<Subject, StoreError> {
    let row = query(format!(
        "SELECT error_groups.number, error_groups.type_name, error_groups.message, error_groups.culprit,
                error_groups.level, error_groups.first_seen, error_groups.last_seen, error_groups.times_seen,
                error_groups.status, error_groups.merged_into, error_groups.notified_at, error_groups.app_id, apps.short_name AS app, apps.team_id,
                organizations.id AS organization_id, organizations.short_name AS organization, {ASSIGNMENT}
         FROM error_groups JOIN apps ON apps.id = error_groups.app_id
         JOIN organizations ON organizations.id = apps.organization_id WHERE error_groups.id = ?"
    ));
    let row = row.bind(group).fetch_one(connection)?;
    let text = |name: &'static str| Ok::<_, StoreError>(shortened(row.try_get(name)?, MAX_TEXT));
    let assignment = assignment(&row)?;
    let facts = ErrorActivity {
        number: row.try_get("number")?,
        type_name: text("type_name")?,
        message: text("message")?,
        culprit: text("culprit")?,
        level: row.try_get("level")?,
        first_seen: row.try_get("first_seen")?,
        last_seen: row.try_get("last_seen")?,
        times_seen: row.try_get("times_seen")?,
        happened_at: 0,
        actor: String::new(),
        event: crate::error_status::Event::Opened,
        assignee: assignment.assignee.as_ref().map(|(_, name)| name.clone()),
        assigned_by: assignment.by,
        reason: assignment.reason.clone(),
    };
    Ok(Subject {
        group,
        organization: Named { id: row.try_get("organization_id")?, name: row.try_get("organization")? },
        app: Named { id: row.try_get("app_id")?, name: row.try_get("app")? },
        team: row.try_get("team_id")?,
        status: Group {
            is_open: Status::of(row.try_get("status")?) == Status::Open,
            is_merged: row.try_get::<Option<i64>, _>("merged_into")?.is_some(),
            notified_at: row.try_get("notified_at")?,
        },
        assignment,
        facts,
    })
}

impl Subject {
    fn message(&self, due: &Due, repeats: i64, now: i64) -> Message {
        let mut event = due.event.clone();
        if let crate::error_status::Event::Commented { text } = &mut event {
            *text = shortened(text, MAX_TEXT);
        }
        let error =
            ErrorActivity { happened_at: due.happened_at, actor: due.actor.clone(), event, ..self.facts.clone() };
        let digest = Sha256::digest(format!("{}/{}/{}", self.app.id, self.group, due.id));
        Message {
            id: hex(&digest[..16]),
            created_at: now,
            organization: self.organization.clone(),
            app: self.app.clone(),
            about: About::Error(Box::new(error)),
            suppressed: Suppressed { repeats, over_budget: 0 },
        }
    }
}
