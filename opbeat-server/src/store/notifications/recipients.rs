//! The receivers of an activity: channels of the app, and persons.

use crate::assignment::{AssignedBy, Assignee};
use crate::error_status::Event;
use crate::notification::{ChannelFilter, Due, is_important};
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;

/// The largest number of persons who get a mail about one activity.
const MAX_PERSONS: i64 = 50;

/// A receiver in the outbox and in budgets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// A channel, by its id.
    Channel(i64),
    /// A person, by the id.
    Person(String),
}

impl To {
    /// Returns the text in budgets.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Channel(id) => format!("channel-{id}"),
            Self::Person(id) => id.clone(),
        }
    }

    /// Returns the receiver of such a text.
    pub(super) fn of(text: &str) -> Self {
        match text.strip_prefix("channel-").and_then(|id| id.parse().ok()) {
            Some(id) => Self::Channel(id),
            None => Self::Person(text.to_owned()),
        }
    }
}

/// The channels of an app, with the activities that they get.
pub(super) fn channels(connection: &mut Connection, app_id: &str) -> Result<Vec<(i64, ChannelFilter)>, StoreError> {
    let rows = query("SELECT id, activities FROM notification_channels WHERE app_id = ? ORDER BY id LIMIT ?")
        .bind(app_id)
        .bind(super::channels::MAX_CHANNELS)
        .fetch_all(connection)?;
    let channel = |row: &Row<'_>| {
        let filter = ChannelFilter::of(row.try_get("activities")?).unwrap_or(ChannelFilter::Important);
        Ok((row.try_get("id")?, filter))
    };
    rows.iter().map(channel).collect()
}

/// Returns the persons who get a mail about an activity: the assignee, or the members of the team. A person who assigned an
/// error to nobody but themselves gets none.
pub(super) fn persons(
    connection: &mut Connection,
    organization_id: &str,
    due: &Due,
    assignee: Option<&(Assignee, String)>,
    team: Option<i64>,
) -> Result<Vec<String>, StoreError> {
    let is_told = match &due.event {
        Event::Assigned { assignee: Some(name), by, .. } => *by != AssignedBy::Person || *name != due.actor,
        event => is_important(event),
    };
    if !is_told {
        return Ok(Vec::new());
    }
    let team = match assignee {
        Some((Assignee::Person(id), _)) => return of_person(connection, organization_id, id),
        Some((Assignee::Team(id), _)) => Some(*id),
        None => team,
    };
    match team {
        Some(team) => of_team(connection, organization_id, team),
        None => Ok(Vec::new()),
    }
}

/// Returns whether an app still has a channel, or a person of its organization still gets mails.
pub(super) fn is_receiver(connection: &mut Connection, app_id: &str, to: &To) -> Result<bool, StoreError> {
    let row = match to {
        To::Channel(id) => {
            query("SELECT 1 FROM notification_channels WHERE app_id = ? AND id = ?").bind(app_id).bind(*id)
        }
        To::Person(id) => query(format!(
            "SELECT 1 FROM people JOIN memberships ON memberships.person_id = people.id
             JOIN apps ON apps.organization_id = memberships.organization_id
             WHERE apps.id = ? AND people.id = ? AND {READS_MAILS}"
        ))
        .bind(app_id)
        .bind(id),
    };
    Ok(row.fetch_optional(connection)?.is_some())
}

/// The conditions under which a member gets mails.
const READS_MAILS: &str = "people.disabled_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM notification_preferences WHERE person_id = people.id AND mails = 'never')";

fn of_person(connection: &mut Connection, organization_id: &str, id: &str) -> Result<Vec<String>, StoreError> {
    let rows = query(format!(
        "SELECT people.id FROM people JOIN memberships ON memberships.person_id = people.id
         WHERE memberships.organization_id = ? AND people.id = ? AND {READS_MAILS}"
    ));
    ids(&rows.bind(organization_id).bind(id).fetch_all(connection)?)
}

fn of_team(connection: &mut Connection, organization_id: &str, team: i64) -> Result<Vec<String>, StoreError> {
    let rows = query(format!(
        "SELECT people.id FROM team_members JOIN people ON people.id = team_members.person_id
         JOIN teams ON teams.id = team_members.team_id
         WHERE teams.organization_id = ? AND teams.id = ? AND {READS_MAILS} ORDER BY people.id LIMIT ?"
    ));
    ids(&rows.bind(organization_id).bind(team).bind(MAX_PERSONS).fetch_all(connection)?)
}

fn ids(rows: &[Row<'_>]) -> Result<Vec<String>, StoreError> {
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}
