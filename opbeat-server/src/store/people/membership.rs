//! Membership in an organization, in a transaction that holds the lock of people.

use super::audit::record;
use crate::audit::{AuditAction, ChangedBy, is_of_person};
use crate::role::Role;
use crate::store::engine::{Connection, QueryBuilder, Row, query};
use crate::store::error::StoreError;

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
    /// Whether the person may do everything on this server, with any role.
    pub(crate) is_owner: bool,
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

/// Starts a query of members of an organization. More conditions can follow.
pub(super) fn select_members(organization_id: &str) -> QueryBuilder<'static> {
    let mut query = QueryBuilder::new(
        "SELECT people.id AS id, people.email AS email, people.name AS name, people.is_owner AS is_owner,
                memberships.role AS role,
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

/// Returns whether an organization would have no admin without a member.
pub(super) fn is_last_admin(
    connection: &mut Connection,
    organization_id: &str,
    member: &Member,
) -> Result<bool, StoreError> {
    let others = "SELECT count(*) FROM memberships WHERE organization_id = ? AND person_id <> ? AND role = ?";
    let others = query(others).bind(organization_id).bind(&member.id).bind(Role::Admin.as_str());
    let others: i64 = others.fetch_one(connection)?.try_get(0)?;
    Ok(member.role == Role::Admin && others == 0)
}

/// Reads a row of [`select_members`].
pub(super) fn member(row: &Row<'_>) -> Result<Member, StoreError> {
    let aliases: Option<&str> = row.try_get("aliases")?;
    let mut aliases: Vec<String> = aliases.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    aliases.sort_unstable();
    Ok(Member {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        role: Role::of(row.try_get("role")?),
        is_owner: row.try_get::<i64, _>("is_owner")? != 0,
        aliases,
    })
}

/// Makes a person a member of an organization. A member keeps the role.
pub(super) fn join(
    connection: &mut Connection,
    organization_id: &str,
    person_id: &str,
    role: Role,
    now: i64,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO memberships (organization_id, person_id, role, created_at) VALUES (?, ?, ?, ?)
                  ON CONFLICT (organization_id, person_id) DO NOTHING";
    query(insert).bind(organization_id).bind(person_id).bind(role.as_str()).bind(now).execute(connection)?;
    // From now on the address is that of the member, whoever had it as a further one. An invitation of the member that
    // stayed open would let a removed one in again.
    for table in ["aliases", "invitations"] {
        query(format!(
            "DELETE FROM {table} WHERE organization_id = ?1 AND email = (SELECT email FROM people WHERE id = ?2)"
        ))
        .bind(organization_id)
        .bind(person_id)
        .execute(connection)?;
    }
    Ok(())
}

/// Gives a member another role, unless the organization would have no admin. The invitations of a former admin end.
pub(super) fn set_role(
    connection: &mut Connection,
    organization_id: &str,
    member: Member,
    role: Role,
    by: &ChangedBy,
) -> Result<Changed, StoreError> {
    if member.role == role {
        return Ok(Changed::Done);
    }
    if is_last_admin(connection, organization_id, &member)? {
        return Ok(Changed::LastAdmin);
    }
    query("UPDATE memberships SET role = ? WHERE organization_id = ? AND person_id = ?")
        .bind(role.as_str())
        .bind(organization_id)
        .bind(&member.id)
        .execute(connection)?;
    if member.role == Role::Admin {
        withdraw_invitations_of(connection, organization_id, &member.email, by)?;
    }
    let action = AuditAction::RoleChanged { person: member.email, from: member.role, to: role };
    record(connection, Some(organization_id), by, &action)?;
    Ok(Changed::Done)
}

/// Withdraws the invitations that a person made, who knows their links and could accept one.
pub(super) fn withdraw_invitations_of(
    connection: &mut Connection,
    organization_id: &str,
    email: &str,
    by: &ChangedBy,
) -> Result<(), StoreError> {
    let open = query("SELECT email, invited_by FROM invitations WHERE organization_id = ? ORDER BY email");
    for row in open.bind(organization_id).fetch_all(connection)? {
        let (invited, invited_by): (String, &str) = (row.try_get("email")?, row.try_get("invited_by")?);
        if is_of_person(invited_by, email) {
            let delete = query("DELETE FROM invitations WHERE organization_id = ? AND email = ?");
            delete.bind(organization_id).bind(&invited).execute(connection)?;
            record(connection, Some(organization_id), by, &AuditAction::InvitationWithdrawn { person: invited })?;
        }
    }
    Ok(())
}
