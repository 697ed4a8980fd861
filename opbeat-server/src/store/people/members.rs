//! The members of an organization.

use super::audit::record;
use super::membership::{
    Changed, Member, find, is_last_admin, member, select_members, set_role, withdraw_invitations_of,
};
use crate::audit::{AuditAction, ChangedBy};
use crate::role::Role;
use crate::store::database::Store;
use crate::store::engine::query;
use crate::store::error::StoreError;
use crate::store::locks::lock_people;

/// The largest number of members that are returned at once.
const MAX_MEMBERS: i64 = 10_000;

/// The largest number of further e-mail addresses of a member.
const MAX_ALIASES: usize = 20;

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
            set_role(connection, &organization_id, member, role, &by)
        })
        .await
    }

    /// Removes a member with the aliases, the places in teams and the invitations that the member made, unless the
    /// organization would have no admin.
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
            withdraw_invitations_of(connection, &organization_id, &member.email, &by)?;
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
