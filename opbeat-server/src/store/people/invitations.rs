//! Invitations to an organization. Only the SHA-256 of the secret in their links is stored.

use super::accounts::{NewPerson, insert_person, person_id_of};
use super::audit::record;
use super::membership::{Changed, join};
use crate::audit::{AuditAction, ChangedBy};
use crate::role::Role;
use crate::store::database::Store;
use crate::store::engine::{Row, query};
use crate::store::error::StoreError;
use crate::store::locks::lock_people;

/// The largest number of invitations of an organization, which a page lists.
const MAX_INVITATIONS: i64 = 100;

/// An invitation to create.
#[derive(Clone, Debug)]
pub(crate) struct NewInvitation {
    /// The SHA-256 of the secret in its link.
    pub(crate) hash: [u8; 32],
    /// The e-mail address of the invited person, in lower case.
    pub(crate) email: String,
    /// The role that the person will have.
    pub(crate) role: Role,
    /// When it expires, in microseconds since 1970.
    pub(crate) expires_at: i64,
}

/// An open or expired invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Invitation {
    /// The short name of the organization.
    pub(crate) organization: String,
    /// The e-mail address of the invited person, in lower case.
    pub(crate) email: String,
    /// The role that the person will have.
    pub(crate) role: Role,
    /// The name of the person who invited.
    pub(crate) invited_by: String,
    /// When it expires, in microseconds since 1970.
    pub(crate) expires_at: i64,
}

/// The person who accepts an invitation.
#[derive(Clone, Debug)]
pub(crate) enum Invitee {
    /// A person without an account.
    New(NewPerson),
    /// The person with the id, who is signed in.
    Known(String),
}

/// The result of accepting an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// The person with the id is a member.
    Done(String),
    /// The invitation is unknown, was used or has expired.
    Missing,
    /// The account of the invited person was created or changed in the meantime.
    AccountChanged,
}

const SELECT: &str = "SELECT organizations.short_name AS organization, invitations.organization_id AS organization_id,
            invitations.email AS email, invitations.role AS role, invitations.invited_by AS invited_by,
            invitations.expires_at AS expires_at
     FROM invitations JOIN organizations ON organizations.id = invitations.organization_id";

impl Store {
    /// Adds an invitation. It replaces an earlier one of the same person.
    pub(crate) async fn invite(
        &self,
        organization_id: &str,
        new: NewInvitation,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let organization_id = organization_id.to_owned();
        self.write(move |connection| {
            lock_people(connection)?;
            let member = query(
                "SELECT 1 FROM memberships JOIN people ON people.id = memberships.person_id
                 WHERE memberships.organization_id = ? AND people.email = ?",
            );
            if member.bind(&organization_id).bind(&new.email).fetch_optional(connection)?.is_some() {
                return Ok(Changed::Taken);
            }
            query("DELETE FROM invitations WHERE organization_id = ? AND email = ?")
                .bind(&organization_id)
                .bind(&new.email)
                .execute(connection)?;
            let count = query("SELECT count(*) FROM invitations WHERE organization_id = ?").bind(&organization_id);
            if count.fetch_one(connection)?.try_get::<i64, _>(0)? >= MAX_INVITATIONS {
                return Ok(Changed::TooMany);
            }
            query(
                "INSERT INTO invitations (hash, organization_id, email, role, invited_by, created_at, expires_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(&new.hash)
            .bind(&organization_id)
            .bind(&new.email)
            .bind(new.role.as_str())
            .bind(&by.actor)
            .bind(by.at)
            .bind(new.expires_at)
            .execute(connection)?;
            let action = AuditAction::Invited { person: new.email, role: new.role };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Returns the invitations of an organization in the order of their addresses, with those that expired lately.
    pub(crate) async fn invitations(&self, organization_id: &str) -> Result<Vec<Invitation>, StoreError> {
        let rows = query(format!(
            "{SELECT} WHERE invitations.organization_id = ? ORDER BY invitations.email LIMIT {MAX_INVITATIONS}"
        ));
        rows.bind(organization_id).read_all(&self.readers).await?.iter().map(invitation).collect()
    }

    /// Returns the invitation with a hash, unless it was used or has expired.
    pub(crate) async fn invitation(&self, hash: &[u8; 32], now: i64) -> Result<Option<Invitation>, StoreError> {
        let row = query(format!("{SELECT} WHERE invitations.hash = ? AND invitations.expires_at > ?"));
        row.bind(&hash[..]).bind(now).read_optional(&self.readers).await?.as_ref().map(invitation).transpose()
    }

    /// Removes an invitation of an organization.
    pub(crate) async fn withdraw_invitation(
        &self,
        organization_id: &str,
        email: &str,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let (organization_id, email) = (organization_id.to_owned(), email.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let removed = query("DELETE FROM invitations WHERE organization_id = ? AND email = ?")
                .bind(&organization_id)
                .bind(&email)
                .execute(connection)?;
            if removed == 0 {
                return Ok(Changed::Missing);
            }
            let action = AuditAction::InvitationWithdrawn { person: email };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Makes the invited person a member, and removes the invitation.
    pub(crate) async fn accept_invitation(
        &self,
        hash: &[u8; 32],
        invitee: Invitee,
        by: ChangedBy,
    ) -> Result<Joined, StoreError> {
        let hash = *hash;
        self.write(move |connection| {
            lock_people(connection)?;
            let row = query(format!("{SELECT} WHERE invitations.hash = ? AND invitations.expires_at > ?"));
            let Some(row) = row.bind(&hash).bind(by.at).fetch_optional(connection)? else {
                return Ok(Joined::Missing);
            };
            let (invitation, organization_id) = (invitation(&row)?, row.try_get::<String, _>("organization_id")?);
            let known = person_id_of(connection, &invitation.email)?;
            let person_id = match (invitee, known) {
                (Invitee::New(person), None) if person.email == invitation.email => {
                    insert_person(connection, &person, by.at)?
                }
                (Invitee::Known(id), Some(known)) if id == known => known,
                _ => return Ok(Joined::AccountChanged),
            };
            join(connection, &organization_id, &person_id, invitation.role, by.at)?;
            let action = AuditAction::Joined { person: invitation.email, role: invitation.role };
            record(connection, Some(&organization_id), &by, &action)?;
            Ok(Joined::Done(person_id))
        })
        .await
    }
}

fn invitation(row: &Row<'_>) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        organization: row.try_get("organization")?,
        email: row.try_get("email")?,
        role: Role::of(row.try_get("role")?),
        invited_by: row.try_get("invited_by")?,
        expires_at: row.try_get("expires_at")?,
    })
}
