//! Teams, which are responsible for apps.

use super::audit::record;
use super::membership::{Changed, find};
use crate::audit::{AuditAction, ChangedBy};
use crate::store::database::Store;
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;
use crate::store::locks::lock_people;

/// The largest number of teams of an organization, which pages list.
const MAX_TEAMS: i64 = 100;

/// The largest number of members and of apps of a team.
const MAX_OF_TEAM: i64 = 200;

/// A team with the numbers of its members and apps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Team {
    /// The id.
    pub(crate) id: i64,
    /// The name.
    pub(crate) name: String,
    /// The number of members.
    pub(crate) members: i64,
    /// The number of apps that it is responsible for.
    pub(crate) apps: i64,
}

/// A team with its members and apps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TeamDetail {
    /// The id.
    pub(crate) id: i64,
    /// The name.
    pub(crate) name: String,
    /// The ids and the names of its members, in the order of the names.
    pub(crate) members: Vec<(String, String)>,
    /// The short names of the apps that it is responsible for.
    pub(crate) apps: Vec<String>,
}

impl Store {
    /// Returns the teams of an organization in the order of their names.
    pub(crate) async fn teams(&self, organization_id: &str) -> Result<Vec<Team>, StoreError> {
        let rows = query(
            "SELECT id, name, (SELECT count(*) FROM team_members WHERE team_id = teams.id) AS members,
                    (SELECT count(*) FROM apps WHERE apps.organization_id = ?1 AND apps.team_id = teams.id) AS apps
             FROM teams WHERE organization_id = ?1 ORDER BY name LIMIT ?2",
        );
        let rows = rows.bind(organization_id).bind(MAX_TEAMS).read_all(&self.readers).await?;
        rows.iter().map(team).collect()
    }

    /// Returns a team of an organization.
    pub(crate) async fn team(&self, organization_id: &str, team_id: i64) -> Result<Option<TeamDetail>, StoreError> {
        let organization_id = organization_id.to_owned();
        self.readers
            .run(move |connection| {
                let Some(name) = name_of(connection, &organization_id, team_id)? else { return Ok(None) };
                let members = query(
                    "SELECT people.id, people.name FROM team_members JOIN people ON people.id = team_members.person_id
                     WHERE team_members.team_id = ? ORDER BY lower(people.name), people.id LIMIT ?",
                );
                let members = members.bind(team_id).bind(MAX_OF_TEAM).fetch_all(connection)?;
                let members = members.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
                let members = members.collect::<Result<_, StoreError>>()?;
                let apps = "SELECT short_name FROM apps WHERE organization_id = ? AND team_id = ?
                            ORDER BY short_name LIMIT ?";
                let apps = query(apps).bind(&organization_id).bind(team_id).bind(MAX_OF_TEAM).fetch_all(connection)?;
                let apps = apps.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<_, StoreError>>()?;
                Ok(Some(TeamDetail { id: team_id, name, members, apps }))
            })
            .await
    }

    /// Adds a team to an organization.
    pub(crate) async fn create_team(
        &self,
        organization_id: &str,
        name: &str,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, name) = (organization_id.to_owned(), name.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let count = query("SELECT count(*) FROM teams WHERE organization_id = ?").bind(&organization_id);
            if count.fetch_one(connection)?.try_get::<i64, _>(0)? >= MAX_TEAMS {
                return Ok(Changed::TooMany);
            }
            let insert = "INSERT INTO teams (organization_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING";
            if query(insert).bind(&organization_id).bind(&name).execute(connection)? == 0 {
                return Ok(Changed::Taken);
            }
            record(connection, Some(&organization_id), &by, &AuditAction::TeamCreated { team: name })?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Removes a team of an organization. Its apps have no team then.
    pub(crate) async fn remove_team(
        &self,
        organization_id: &str,
        team_id: i64,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let organization_id = organization_id.to_owned();
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(team) = name_of(connection, &organization_id, team_id)? else { return Ok(Changed::Missing) };
            let delete = query("DELETE FROM teams WHERE organization_id = ? AND id = ?");
            delete.bind(&organization_id).bind(team_id).execute(connection)?;
            record(connection, Some(&organization_id), &by, &AuditAction::TeamRemoved { team })?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Adds a member of an organization to one of its teams, or removes the member from it.
    pub(crate) async fn change_team_member(
        &self,
        organization_id: &str,
        team_id: i64,
        (person_id, joins): (&str, bool),
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, person_id) = (organization_id.to_owned(), person_id.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(team) = name_of(connection, &organization_id, team_id)? else { return Ok(Changed::Missing) };
            let Some(member) = find(connection, &organization_id, &person_id)? else { return Ok(Changed::Missing) };
            let count = query("SELECT count(*) FROM team_members WHERE team_id = ?").bind(team_id);
            if joins && count.fetch_one(connection)?.try_get::<i64, _>(0)? >= MAX_OF_TEAM {
                return Ok(Changed::TooMany);
            }
            let (statement, action) = if joins {
                let insert = "INSERT INTO team_members (team_id, person_id) VALUES (?, ?) ON CONFLICT DO NOTHING";
                (insert, AuditAction::TeamJoined { team, person: member.email })
            } else {
                let delete = "DELETE FROM team_members WHERE team_id = ? AND person_id = ?";
                (delete, AuditAction::TeamLeft { team, person: member.email })
            };
            if query(statement).bind(team_id).bind(&person_id).execute(connection)? > 0 {
                record(connection, Some(&organization_id), &by, &action)?;
            }
            Ok(Changed::Done)
        })
        .await
    }

    /// Makes a team responsible for an app of the same organization, given by its short name, or ends that.
    pub(crate) async fn change_app_of_team(
        &self,
        organization_id: &str,
        team_id: i64,
        (app, joins): (&str, bool),
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, app) = (organization_id.to_owned(), app.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(team) = name_of(connection, &organization_id, team_id)? else { return Ok(Changed::Missing) };
            let before = query("SELECT team_id FROM apps WHERE organization_id = ? AND short_name = ?");
            let before = before.bind(&organization_id).bind(&app).fetch_optional(connection)?;
            let Some(before) = before else { return Ok(Changed::Missing) };
            let is_of_team = before.try_get::<Option<i64>, _>(0)? == Some(team_id);
            if is_of_team == joins {
                // An app that another admin has given to another team meanwhile stays there.
                return Ok(Changed::Done);
            }
            let count = query("SELECT count(*) FROM apps WHERE organization_id = ? AND team_id = ?");
            let count = count.bind(&organization_id).bind(team_id).fetch_one(connection)?;
            if joins && count.try_get::<i64, _>(0)? >= MAX_OF_TEAM {
                return Ok(Changed::TooMany);
            }
            query("UPDATE apps SET team_id = ? WHERE organization_id = ? AND short_name = ?")
                .bind(joins.then_some(team_id))
                .bind(&organization_id)
                .bind(&app)
                .execute(connection)?;
            let action = AuditAction::AppAssigned { app, team: joins.then_some(team) };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }
}

fn name_of(connection: &mut Connection, organization_id: &str, team_id: i64) -> Result<Option<String>, StoreError> {
    let row = query("SELECT name FROM teams WHERE organization_id = ? AND id = ?").bind(organization_id).bind(team_id);
    Ok(row.fetch_optional(connection)?.map(|row| row.try_get(0)).transpose()?)
}

fn team(row: &Row<'_>) -> Result<Team, StoreError> {
    Ok(Team {
        id: row.try_get("id")?,
        name: row.try_get("name")?,
        members: row.try_get("members")?,
        apps: row.try_get("apps")?,
    })
}
