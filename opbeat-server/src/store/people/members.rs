//! The members of an organization.

use super::audit::record;
use crate::audit::{AuditAction, ChangedBy};
use crate::role::Role;
use crate::store::database::Store;
use crate::store::engine::{Connection, QueryBuilder, Row, query};
use crate::store::error::StoreError;
use crate::store::locks::lock_people;

/// The largest number of members that are returned at once.
const MAX_MEMBERS: i64 = 10_000;

/// The largest number of further e-mail addresses of a member.
const MAX_ALIASES: usize = 20;

/// A person who belongs to an organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// The id of the person.
    pub(crate) id: String,
    /// The e-mail address, in lower case.
    pub(crate) email: String,
    /// The name.
    pub(crate) name: String,
    /// The role in the organization.
    pub(crate) role: Role,
    /// Further e-mail addresses, in lower case, which the commits of the person have.
    pub(crate) aliases: Vec<String>,
}

/// The result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It was made, or nothing had to be changed.
    Done,
    /// The organization has no such person, team, app or invitation.
    Missing,
    /// The organization would have no admin.
    LastAdmin,
    /// The address or the name belongs to another person or team.
    Taken,
    /// There are too many of them.
    TooMany,
}

impl Store {
    /// Returns the members of an organization in the order of their names, at most 10,000.
    pub(crate) async fn members(&self, organization_id: &str) -> Result<Vec<Member>, StoreError> {
        self.some_members(organization_id, (MAX_MEMBERS, 0)).await
    }

    /// Returns some members of an organization in the order of their names: at most a number, after an offset.
    pub(crate) async fn some_members(
        &self,
        organization_id: &str,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<Member>, StoreError> {
        let mut query = select_members(organization_id);
        query.push(" ORDER BY lower(people.name), people.id LIMIT ").push_bind(limit);
        query.push(" OFFSET ").push_bind(offset);
        query.build().read_all(&self.readers).await?.iter().map(member).collect()
    }

    /// Returns the number of members of an organization.
    pub(crate) async fn count_members(&self, organization_id: &str) -> Result<i64, StoreError> {
        let count = query("SELECT count(*) FROM memberships WHERE organization_id = ?").bind(organization_id);
        Ok(count.read_one(&self.readers).await?.try_get(0)?)
    }

    /// Returns a member of an organization.
    pub(crate) async fn member(&self, organization_id: &str, person_id: &str) -> Result<Option<Member>, StoreError> {
        let mut query = select_members(organization_id);
        query.push(" AND people.id = ").push_bind(person_id.to_owned());
        query.build().read_optional(&self.readers).await?.as_ref().map(member).transpose()
    }

    /// Gives a member another role, unless the organization would have no admin.
    pub(crate) async fn change_role(
        &self,
        organization_id: &str,
        person_id: &str,
        role: Role,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, person_id) = (organization_id.to_owned(), person_id.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(member) = find(connection, &organization_id, &person_id)? else { return Ok(Changed::Missing) };
            if member.role == role {
                return Ok(Changed::Done);
            }
            if is_last_admin(connection, &organization_id, &member)? {
                return Ok(Changed::LastAdmin);
            }
            query("UPDATE memberships SET role = ? WHERE organization_id = ? AND person_id = ?")
                .bind(role.as_str())
                .bind(&organization_id)
                .bind(&person_id)
                .execute(connection)?;
            let action = AuditAction::RoleChanged { person: member.email, from: member.role, to: role };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Removes a member with the aliases and the places in teams, unless the organization would have no admin.
    pub(crate) async fn remove_member(
        &self,
        organization_id: &str,
        person_id: &str,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, person_id) = (organization_id.to_owned(), person_id.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(member) = find(connection, &organization_id, &person_id)? else { return Ok(Changed::Missing) };
            if is_last_admin(connection, &organization_id, &member)? {
                return Ok(Changed::LastAdmin);
            }
            for statement in [
                "DELETE FROM team_members WHERE person_id = ?2
                 AND team_id IN (SELECT id FROM teams WHERE organization_id = ?1)",
                "DELETE FROM aliases WHERE organization_id = ?1 AND person_id = ?2",
                "DELETE FROM memberships WHERE organization_id = ?1 AND person_id = ?2",
            ] {
                query(statement).bind(&organization_id).bind(&person_id).execute(connection)?;
            }
            record(connection, Some(&organization_id), &by, &AuditAction::Removed { person: member.email })?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Gives a member a further e-mail address, unless it belongs to another member.
    pub(crate) async fn add_alias(
        &self,
        organization_id: &str,
        person_id: &str,
        alias: &str,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, person_id, alias) = (organization_id.to_owned(), person_id.to_owned(), alias.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(member) = find(connection, &organization_id, &person_id)? else { return Ok(Changed::Missing) };
            if member.email == alias || member.aliases.contains(&alias) {
                return Ok(Changed::Done);
            }
            if member.aliases.len() >= MAX_ALIASES {
                return Ok(Changed::TooMany);
            }
            let other = query(
                "SELECT 1 FROM memberships JOIN people ON people.id = memberships.person_id
                 WHERE memberships.organization_id = ?1 AND people.email = ?2
                 UNION ALL SELECT 1 FROM aliases WHERE organization_id = ?1 AND email = ?2",
            );
            if other.bind(&organization_id).bind(&alias).fetch_optional(connection)?.is_some() {
                return Ok(Changed::Taken);
            }
            query("INSERT INTO aliases (organization_id, email, person_id) VALUES (?, ?, ?)")
                .bind(&organization_id)
                .bind(&alias)
                .bind(&person_id)
                .execute(connection)?;
            let action = AuditAction::AliasAdded { person: member.email, alias };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Removes a further e-mail address of a member.
    pub(crate) async fn remove_alias(
        &self,
        organization_id: &str,
        person_id: &str,
        alias: &str,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, person_id, alias) = (organization_id.to_owned(), person_id.to_owned(), alias.to_owned());
        self.write(move |connection| {
            let Some(member) = find(connection, &organization_id, &person_id)? else { return Ok(Changed::Missing) };
            let removed = query("DELETE FROM aliases WHERE organization_id = ? AND person_id = ? AND email = ?")
                .bind(&organization_id)
                .bind(&person_id)
                .bind(&alias)
                .execute(connection)?;
            if removed > 0 {
                let action = AuditAction::AliasRemoved { person: member.email, alias };
                record(connection, Some(&organization_id), &by, &action)?;
            }
            Ok(Changed::Done)
        })
        .await
    }
}

fn select_members(organization_id: &str) -> QueryBuilder<'static> {
    let mut query = QueryBuilder::new(
        "SELECT people.id AS id, people.email AS email, people.name AS name, memberships.role AS role,
                (SELECT string_agg(aliases.email, ' ') FROM aliases
                 WHERE aliases.organization_id = memberships.organization_id AND aliases.person_id = people.id)
                    AS aliases
         FROM memberships JOIN people ON people.id = memberships.person_id WHERE memberships.organization_id = ",
    );
    query.push_bind(organization_id.to_owned());
    query
}

/// Returns a member of an organization, in a transaction.
pub(super) fn find(
    connection: &mut Connection,
    organization_id: &str,
    person_id: &str,
) -> Result<Option<Member>, StoreError> {
    let mut query = select_members(organization_id);
    query.push(" AND people.id = ").push_bind(person_id.to_owned());
    query.build().fetch_optional(connection)?.as_ref().map(member).transpose()
}

fn is_last_admin(connection: &mut Connection, organization_id: &str, member: &Member) -> Result<bool, StoreError> {
    let others = "SELECT count(*) FROM memberships WHERE organization_id = ? AND person_id <> ? AND role = ?";
    let others = query(others).bind(organization_id).bind(&member.id).bind(Role::Admin.as_str());
    let others: i64 = others.fetch_one(connection)?.try_get(0)?;
    Ok(member.role == Role::Admin && others == 0)
}

fn member(row: &Row<'_>) -> Result<Member, StoreError> {
    let aliases: Option<&str> = row.try_get("aliases")?;
    let mut aliases: Vec<String> = aliases.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    aliases.sort_unstable();
    Ok(Member {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        role: Role::of(row.try_get("role")?),
        aliases,
    })
}
