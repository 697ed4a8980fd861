//! The persons and teams that error groups are assigned to.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use opbeat_protocol::ErrorBody;

use super::database::Store;
use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use super::error_status::{SHOWN, add_limited_event};
use super::locks::{lock_app, lock_each};
use crate::assignment::{AssignedBy, Assignee};
use crate::changes::unpack;
use crate::error_status::Event;

/// The largest numbers of members and teams of an organization in a list.
const MAX_MEMBERS: i64 = 200;
const MAX_TEAMS: i64 = 100;

/// A group that the worker looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupToAssign {
    /// Its id in the store.
    pub(crate) id: i64,
    /// The app's id.
    pub(crate) app_id: String,
    /// The organization's id.
    pub(crate) organization_id: String,
    /// When its first error happened, in microseconds since 1970.
    pub(crate) first_seen: i64,
    /// Whether errors of the app are assigned to authors.
    pub(crate) assigns_authors: bool,
    /// The team that is responsible for the app, with its id and its name.
    pub(crate) team: Option<(i64, String)>,
}

/// The first error of a group.
#[derive(Clone, Debug)]
pub(crate) struct FirstError {
    /// The error, or `None` if the document cannot be read.
    pub(crate) report: Option<ErrorBody>,
    /// The revision of the release in which it happened, if there was one.
    pub(crate) rev: Option<String>,
}

/// The state that the result of a look depends on. If it changes before the result is stored, the group is looked at again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Basis {
    /// Whether errors of the app are assigned to authors.
    pub(crate) assigns_authors: bool,
    /// When the repository was connected, in microseconds since 1970, if there is one.
    pub(crate) connected_at: Option<i64>,
    /// Whether it was fetched, and whether the last fetch failed.
    pub(crate) fetched: (bool, bool),
}

/// The result of a look at a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookedAt {
    /// The group's id in the store.
    pub(crate) group: i64,
    /// The app's id.
    pub(crate) app_id: String,
    /// The state that it depends on.
    pub(crate) basis: Basis,
    /// The person or the team with the name, and the cause; `None` for nobody.
    pub(crate) assignee: Option<(Assignee, String, AssignedBy)>,
    /// The reason in a sentence, also for nobody.
    pub(crate) reason: String,
}

/// A member of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberRow {
    /// The person's id.
    pub(crate) id: String,
    /// The name, or the e-mail address of a person without one.
    pub(crate) name: String,
    /// The e-mail address, in lower case.
    pub(crate) email: String,
}

/// A team of an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TeamRow {
    /// Its id.
    pub(crate) id: i64,
    /// Its name.
    pub(crate) name: String,
}

/// The assignment of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AssignmentRow {
    /// The person or the team with the name.
    pub(crate) assignee: Option<(Assignee, String)>,
    /// The cause.
    pub(crate) by: Option<AssignedBy>,
    /// The reason in a sentence, also for nobody; empty until the worker has looked at the group.
    pub(crate) reason: String,
}

/// The columns of an assignment in a query of `error_groups`.
pub(super) const ASSIGNMENT: &str = "assignee_id, assignee_team, assigned_by, assignment_reason, \
     (SELECT coalesce(nullif(name, ''), email) FROM people WHERE people.id = error_groups.assignee_id) AS assignee_name, \
     (SELECT name FROM teams WHERE teams.id = error_groups.assignee_team) AS assignee_team_name";

/// Sets the assignment of a group.
const ASSIGN: &str = "UPDATE error_groups SET assignee_id = ?2, assignee_team = ?3, assigned_by = ?4,
     assignment_reason = ?5, assignment_due = 0 WHERE id = ?1";

/// The further condition of a look. A person may have decided since the group was read, in a process of any version.
const IS_DUE: &str = " AND assignment_due = 1 AND assigned_by <> 'person'";

impl Store {
    /// Returns groups of all apps that are to be looked at, with ids after a given one, in the order of their ids.
    pub(crate) async fn groups_to_assign(&self, after: i64, limit: i64) -> Result<Vec<GroupToAssign>, StoreError> {
        let rows = query(
            "SELECT error_groups.id, error_groups.app_id, error_groups.first_seen, apps.organization_id,
                    apps.assigns_authors, apps.team_id, teams.name AS team
             FROM error_groups JOIN apps ON apps.id = error_groups.app_id LEFT JOIN teams ON teams.id = apps.team_id
             WHERE error_groups.assignment_due = 1 AND error_groups.merged_into IS NULL AND error_groups.id > ?
             ORDER BY error_groups.id LIMIT ?",
        )
        .bind(after)
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let group = |row: &Row<'_>| -> Result<GroupToAssign, StoreError> {
            let team: (Option<i64>, Option<String>) = (row.try_get("team_id")?, row.try_get("team")?);
            Ok(GroupToAssign {
                id: row.try_get("id")?,
                app_id: row.try_get("app_id")?,
                organization_id: row.try_get("organization_id")?,
                first_seen: row.try_get("first_seen")?,
                assigns_authors: row.try_get("assigns_authors")?,
                team: team.0.zip(team.1),
            })
        };
        rows.iter().map(group).collect()
    }

    /// Returns the first error of a group of an app, unless it was removed.
    pub(crate) async fn first_error(&self, app_id: &str, group: i64) -> Result<Option<FirstError>, StoreError> {
        let row = query(
            "SELECT error_occurrences.document, releases.rev FROM error_occurrences
             LEFT JOIN releases ON releases.app_id = ?1 AND releases.number = error_occurrences.release
             WHERE error_occurrences.group_id = (SELECT id FROM error_groups WHERE id = ?2 AND app_id = ?1)
             ORDER BY error_occurrences.happened_at, error_occurrences.id LIMIT 1",
        )
        .bind(app_id)
        .bind(group)
        .read_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let report = unpack(row.try_get("document")?);
        let report =
            report.inspect_err(|error| tracing::error!(%error, group, "the document of an error is damaged")).ok();
        Ok(Some(FirstError { report, rev: row.try_get("rev")? }))
    }

    /// Returns the member of an organization with an e-mail address or an alias, in any case.
    pub(crate) async fn member_by_email(
        &self,
        organization_id: &str,
        email: &str,
    ) -> Result<Option<MemberRow>, StoreError> {
        let row = query(
            "SELECT people.id, coalesce(nullif(people.name, ''), people.email) AS name, people.email
             FROM people JOIN memberships ON memberships.person_id = people.id AND memberships.organization_id = ?1
             WHERE people.disabled_at IS NULL AND (people.email = ?2 OR people.id IN (
                 SELECT person_id FROM aliases WHERE organization_id = ?1 AND email = ?2))
             ORDER BY CASE WHEN people.email = ?2 THEN 0 ELSE 1 END LIMIT 1",
        )
        .bind(organization_id)
        .bind(email.trim().to_lowercase())
        .read_optional(&self.readers)
        .await?;
        row.as_ref().map(member).transpose()
    }

    /// Returns the members of an organization who may sign in, in the order of their names, at most 200.
    pub(crate) async fn assignable_members(&self, organization_id: &str) -> Result<Vec<MemberRow>, StoreError> {
        let rows = query(
            "SELECT people.id, coalesce(nullif(people.name, ''), people.email) AS name, people.email
             FROM memberships JOIN people ON people.id = memberships.person_id
             WHERE memberships.organization_id = ? AND people.disabled_at IS NULL ORDER BY people.name, people.email LIMIT ?",
        )
        .bind(organization_id)
        .bind(MAX_MEMBERS)
        .read_all(&self.readers)
        .await?;
        rows.iter().map(member).collect()
    }

    /// Returns the teams of an organization, in the order of their names, at most 100.
    pub(crate) async fn assignable_teams(&self, organization_id: &str) -> Result<Vec<TeamRow>, StoreError> {
        let rows = query("SELECT id, name FROM teams WHERE organization_id = ? ORDER BY name LIMIT ?")
            .bind(organization_id)
            .bind(MAX_TEAMS)
            .read_all(&self.readers)
            .await?;
        let team = |row: &Row<'_>| Ok(TeamRow { id: row.try_get("id")?, name: row.try_get("name")? });
        rows.iter().map(team).collect()
    }

    /// Stores the results of looks at groups. The decision of a person stays, and a look whose basis changed is left out.
    pub(crate) async fn add_looks(&self, looks: Vec<LookedAt>, now: i64) -> Result<(), StoreError> {
        self.write(move |connection| {
            lock_each(connection, looks.iter().map(|look| &*look.app_id))?;
            let mut bases: BTreeMap<&str, Option<Basis>> = BTreeMap::new();
            for look in &looks {
                let basis = match bases.entry(&look.app_id) {
                    Entry::Occupied(basis) => *basis.get(),
                    Entry::Vacant(basis) => *basis.insert(basis_of(connection, &look.app_id)?),
                };
                if basis == Some(look.basis) {
                    add_look(connection, look, now)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Assigns an app's groups, given their numbers, by a decision of a person. Returns the numbers of those that exist, or
    /// `None` if the organization has no such member or team.
    pub(crate) async fn assign(
        &self,
        (organization_id, app_id): (&str, &str),
        numbers: Vec<i64>,
        assignee: Option<Assignee>,
        actor: &str,
        now: i64,
    ) -> Result<Option<Vec<i64>>, StoreError> {
        let ids = (organization_id.to_owned(), app_id.to_owned());
        let actor = actor.to_owned();
        self.write(move |connection| {
            lock_app(connection, &ids.1)?;
            let name = match &assignee {
                Some(assignee) => match name_of(connection, &ids.0, assignee)? {
                    Some(name) => Some(name),
                    None => return Ok(None),
                },
                None => None,
            };
            let somebody = if actor.is_empty() { "Somebody" } else { &actor };
            let reason = format!("{somebody} decided it");
            let event = Event::Assigned { assignee: name, by: AssignedBy::Person, reason: reason.clone() };
            let mut assigned = Vec::new();
            for number in numbers {
                let select = query(format!("SELECT id FROM error_groups WHERE {SHOWN}"));
                let Some(row) = select.bind(&ids.1).bind(number).fetch_optional(connection)? else { continue };
                let group = row.try_get(0)?;
                set(connection, ASSIGN, group, (assignee.as_ref(), Some(AssignedBy::Person), &reason))?;
                add_limited_event(connection, group, now, &actor, &event)?;
                assigned.push(number);
            }
            Ok(Some(assigned))
        })
        .await
    }
}

fn add_look(connection: &mut Connection, look: &LookedAt, now: i64) -> Result<(), StoreError> {
    let select = format!("SELECT {ASSIGNMENT} FROM error_groups WHERE id = ? AND app_id = ? AND assignment_due = 1");
    // Another process may have looked at it, and retention may have removed it.
    let row = query(select).bind(look.group).bind(&look.app_id).fetch_optional(connection)?;
    let Some(row) = row else { return Ok(()) };
    let before = assignment(&row)?;
    if before.by == Some(AssignedBy::Person) {
        query("UPDATE error_groups SET assignment_due = 0 WHERE id = ?").bind(look.group).execute(connection)?;
        return Ok(());
    }
    let (assignee, by) = match &look.assignee {
        Some((assignee, _, by)) => (Some(assignee), Some(*by)),
        None => (None, None),
    };
    let is_set = set(connection, &format!("{ASSIGN}{IS_DUE}"), look.group, (assignee, by, &look.reason))?;
    let is_same = before.assignee.as_ref().map(|(assignee, _)| assignee) == assignee;
    if let Some((_, name, by)) = look.assignee.as_ref().filter(|_| is_set && !is_same) {
        let event = Event::Assigned { assignee: Some(name.clone()), by: *by, reason: look.reason.clone() };
        add_limited_event(connection, look.group, now, "", &event)?;
    }
    Ok(())
}

/// Returns the state of an app that looks depend on, or `None` if there is no such app.
fn basis_of(connection: &mut Connection, app_id: &str) -> Result<Option<Basis>, StoreError> {
    let row = query(
        "SELECT apps.assigns_authors, repositories.connected_at, repositories.last_fetched_at,
                coalesce(repositories.last_error, '') AS last_error
         FROM apps LEFT JOIN repositories ON repositories.app_id = apps.id WHERE apps.id = ?",
    )
    .bind(app_id)
    .fetch_optional(connection)?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Basis {
        assigns_authors: row.try_get("assigns_authors")?,
        connected_at: row.try_get("connected_at")?,
        fetched: (
            row.try_get::<Option<i64>, _>("last_fetched_at")?.is_some(),
            !row.try_get::<&str, _>("last_error")?.is_empty(),
        ),
    }))
}

/// Sets the assignee, the cause and the reason of a group. Returns whether the statement's conditions hold.
fn set(
    connection: &mut Connection,
    statement: &str,
    group: i64,
    (assignee, by, reason): (Option<&Assignee>, Option<AssignedBy>, &str),
) -> Result<bool, StoreError> {
    let (person, team) = match assignee {
        Some(Assignee::Person(id)) => (Some(id.as_str()), None),
        Some(Assignee::Team(id)) => (None, Some(*id)),
        None => (None, None),
    };
    let by = by.map_or("", AssignedBy::as_str);
    let values = vec![Value::from(group), person.into(), team.into(), by.into(), reason.into()];
    let changed = connection.execute_many(statement, &[values])?;
    Ok(changed.iter().any(|rows| *rows > 0))
}

/// Returns the name of a member or a team of an organization.
fn name_of(
    connection: &mut Connection,
    organization_id: &str,
    assignee: &Assignee,
) -> Result<Option<String>, StoreError> {
    let select = match assignee {
        Assignee::Person(id) => query(
            "SELECT coalesce(nullif(people.name, ''), people.email) AS name
             FROM memberships JOIN people ON people.id = memberships.person_id
             WHERE memberships.organization_id = ? AND people.id = ? AND people.disabled_at IS NULL",
        )
        .bind(organization_id)
        .bind(id),
        Assignee::Team(id) => {
            query("SELECT name FROM teams WHERE organization_id = ? AND id = ?").bind(organization_id).bind(*id)
        }
    };
    let row = select.fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn member(row: &Row<'_>) -> Result<MemberRow, StoreError> {
    Ok(MemberRow { id: row.try_get("id")?, name: row.try_get("name")?, email: row.try_get("email")? })
}

/// Reads the columns of [`ASSIGNMENT`].
pub(super) fn assignment(row: &Row<'_>) -> Result<AssignmentRow, StoreError> {
    let person = row.try_get::<Option<String>, _>("assignee_id")?.map(Assignee::Person);
    let person = person.zip(row.try_get::<Option<String>, _>("assignee_name")?);
    let team = row.try_get::<Option<i64>, _>("assignee_team")?.map(Assignee::Team);
    let team = team.zip(row.try_get::<Option<String>, _>("assignee_team_name")?);
    Ok(AssignmentRow {
        assignee: person.or(team),
        by: AssignedBy::of(row.try_get("assigned_by")?),
        reason: row.try_get("assignment_reason")?,
    })
}

#[cfg(test)]
mod tests;
