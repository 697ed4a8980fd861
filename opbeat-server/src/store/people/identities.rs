//! The accounts of people at providers of OpenID Connect.

use super::accounts::{NewPerson, insert_person};
use super::audit::{record, record_of_person};
use super::membership::{Changed, join};
use crate::audit::{AuditAction, ChangedBy, full_name};
use crate::identity::{Admission, Identity, NotAdmitted};
use crate::names::MAX_NAME;
use crate::role::Role;
use crate::store::apps::find_organization;
use crate::store::database::Store;
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;
use crate::store::locks::lock_people;
use crate::text::start_of;

/// The largest number of accounts of a person in a list. A server has one provider at a time.
const MAX_IDENTITIES: i64 = 20;

/// An account of a person at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinkedIdentity {
    /// The URL of the provider.
    pub(crate) issuer: String,
    /// The verified address by which it was linked.
    pub(crate) email: String,
    /// The latest sign-in, in microseconds since 1970.
    pub(crate) used_at: i64,
}

/// A person who comes in.
struct Known {
    id: String,
    email: String,
    name: String,
    /// Whether the person is disabled.
    is_disabled: bool,
    /// Whether the person owns the server or belongs to an organization.
    has_access: bool,
}

impl Store {
    /// Returns the id of the person whom an identity belongs to. A known account is found by its issuer and subject; another
    /// one is linked by its verified address with a person, who is created if there is an invitation or a rule for new
    /// people.
    pub(crate) async fn admit(
        &self,
        identity: Identity,
        admission: Admission,
        (address, now): (String, i64),
    ) -> Result<Result<String, NotAdmitted>, StoreError> {
        self.write(move |connection| {
            lock_people(connection)?;
            let admitted = match linked_person(connection, &identity)? {
                Some(person) => with_access(connection, &identity, person, (&address, now))?,
                None => link(connection, &identity, &admission, (&address, now))?,
            };
            let person = match admitted {
                Ok(person) => person,
                Err(reason) => return Ok(Err(reason)),
            };
            query("UPDATE identities SET used_at = ? WHERE issuer = ? AND subject = ?")
                .bind(now)
                .bind(&identity.issuer)
                .bind(&identity.subject)
                .execute(connection)?;
            let action = AuditAction::SignedIn { person: person.email.clone(), provider: admission.provider };
            record_of_person(connection, &person.id, &by(&person, &address, now), &action)?;
            Ok(Ok(person.id))
        })
        .await
    }

    /// Returns the accounts of a person at providers, the latest used first.
    pub(crate) async fn identities(&self, person_id: &str) -> Result<Vec<LinkedIdentity>, StoreError> {
        let rows =
            "SELECT issuer, email, used_at FROM identities WHERE person_id = ? ORDER BY used_at DESC, issuer LIMIT ?";
        let rows = query(rows).bind(person_id).bind(MAX_IDENTITIES).read_all(&self.readers).await?;
        rows.iter().map(identity).collect()
    }

    /// Removes the link between a person and the account at a provider. With an organization, the person must be a member.
    pub(crate) async fn unlink(
        &self,
        organization_id: Option<&str>,
        (person_id, issuer): (&str, &str),
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let organization_id = organization_id.map(str::to_owned);
        let (person_id, issuer) = (person_id.to_owned(), issuer.to_owned());
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(person) = known(connection, &person_id)? else { return Ok(Changed::Missing) };
            if let Some(organization_id) = &organization_id
                && super::membership::find(connection, organization_id, &person_id)?.is_none()
            {
                return Ok(Changed::Missing);
            }
            let removed = query("DELETE FROM identities WHERE person_id = ? AND issuer = ?")
                .bind(&person_id)
                .bind(&issuer)
                .execute(connection)?;
            if removed > 0 {
                let action = AuditAction::IdentityUnlinked { person: person.email, provider: issuer };
                record_of_person(connection, &person_id, &by, &action)?;
            }
            Ok(Changed::Done)
        })
        .await
    }
}

/// Returns the person who is linked with an account.
fn linked_person(connection: &mut Connection, identity: &Identity) -> Result<Option<Known>, StoreError> {
    let row = query("SELECT person_id FROM identities WHERE issuer = ? AND subject = ?");
    let row = row.bind(&identity.issuer).bind(&identity.subject).fetch_optional(connection)?;
    let Some(row) = row else { return Ok(None) };
    known(connection, row.try_get(0)?)
}

/// Returns a person who may come in. One who was removed from the last organization comes back by an invitation; others open
/// the links of invitations themselves.
fn with_access(
    connection: &mut Connection,
    identity: &Identity,
    person: Known,
    by: (&str, i64),
) -> Result<Result<Known, NotAdmitted>, StoreError> {
    let is_own_address = identity.is_verified && identity.email.as_ref() == Some(&person.email);
    let comes_in =
        !person.is_disabled && (person.has_access || is_own_address && accept_invitations(connection, &person, by)?);
    Ok(if comes_in { Ok(person) } else { Err(NotAdmitted::Removed) })
}

/// Links an account that is not known with the person who has its verified address.
fn link(
    connection: &mut Connection,
    identity: &Identity,
    admission: &Admission,
    (address, now): (&str, i64),
) -> Result<Result<Known, NotAdmitted>, StoreError> {
    let Some(email) = &identity.email else { return Ok(Err(NotAdmitted::NoAddress)) };
    if !identity.is_verified {
        return Ok(Err(NotAdmitted::Unverified));
    }
    let row = query("SELECT id FROM people WHERE email = ?").bind(email).fetch_optional(connection)?;
    let id: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
    let person = match id.map(|id| known(connection, &id)).transpose()?.flatten() {
        Some(person) => person,
        None => match create(connection, (email, identity.name.as_deref()), admission, (address, now))? {
            Some(person) => person,
            None => return Ok(Err(NotAdmitted::Unknown)),
        },
    };
    let other = query("SELECT 1 FROM identities WHERE person_id = ? AND issuer = ?");
    if other.bind(&person.id).bind(&identity.issuer).fetch_optional(connection)?.is_some() {
        return Ok(Err(NotAdmitted::Linked));
    }
    let person = match with_access(connection, identity, person, (address, now))? {
        Ok(person) => person,
        Err(reason) => return Ok(Err(reason)),
    };
    let insert = "INSERT INTO identities (issuer, subject, person_id, email, created_at, used_at)
                  VALUES (?, ?, ?, ?, ?, ?)";
    query(insert)
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .bind(&person.id)
        .bind(email)
        .bind(now)
        .bind(now)
        .execute(connection)?;
    let action = AuditAction::IdentityLinked { person: email.clone(), provider: admission.provider.clone() };
    record_of_person(connection, &person.id, &by(&person, address, now), &action)?;
    Ok(Ok(person))
}

/// Creates the person of a verified address, who was invited or may join an organization.
fn create(
    connection: &mut Connection,
    (email, name): (&str, Option<&str>),
    admission: &Admission,
    (address, now): (&str, i64),
) -> Result<Option<Known>, StoreError> {
    let invited = query("SELECT 1 FROM invitations WHERE email = ? AND expires_at > ? LIMIT 1").bind(email).bind(now);
    let is_invited = invited.fetch_optional(connection)?.is_some();
    let joins = match &admission.new_people {
        Some((organization, role)) if !is_invited => {
            find_organization(connection, organization)?.map(|organization_id| (organization_id, *role))
        }
        _ => None,
    };
    if !is_invited && joins.is_none() {
        return Ok(None);
    }
    let name = name.unwrap_or_else(|| start_of(email, MAX_NAME));
    let new = NewPerson { email: email.to_owned(), name: name.to_owned(), password: None };
    let id = insert_person(connection, &new, now)?;
    let person = Known { id, email: new.email, name: new.name, is_disabled: false, has_access: true };
    match joins {
        Some((organization_id, role)) => {
            join(connection, &organization_id, &person.id, role, now)?;
            let provider = admission.provider.clone();
            let action = AuditAction::JoinedByProvider { person: email.to_owned(), role, provider };
            record(connection, Some(&organization_id), &by(&person, address, now), &action)?;
        }
        None => {
            accept_invitations(connection, &person, (address, now))?;
        }
    }
    Ok(Some(person))
}

/// Makes a person a member of the organizations that invited the address. Returns whether there was one.
fn accept_invitations(
    connection: &mut Connection,
    person: &Known,
    (address, now): (&str, i64),
) -> Result<bool, StoreError> {
    let open = "SELECT organization_id, role FROM invitations WHERE email = ? AND expires_at > ?
                ORDER BY organization_id LIMIT 100";
    let rows = query(open).bind(&person.email).bind(now).fetch_all(connection)?;
    for row in &rows {
        let (organization_id, role): (&str, Role) = (row.try_get("organization_id")?, Role::of(row.try_get("role")?));
        join(connection, organization_id, &person.id, role, now)?;
        let action = AuditAction::Joined { person: person.email.clone(), role };
        record(connection, Some(organization_id), &by(person, address, now), &action)?;
    }
    Ok(!rows.is_empty())
}

fn known(connection: &mut Connection, person_id: &str) -> Result<Option<Known>, StoreError> {
    let row = query(
        "SELECT id, email, name, is_owner, disabled_at,
                (SELECT count(*) FROM memberships WHERE memberships.person_id = people.id) AS memberships
         FROM people WHERE id = ?",
    );
    let Some(row) = row.bind(person_id).fetch_optional(connection)? else { return Ok(None) };
    let (is_owner, memberships): (i64, i64) = (row.try_get("is_owner")?, row.try_get("memberships")?);
    Ok(Some(Known {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        is_disabled: row.try_get::<Option<i64>, _>("disabled_at")?.is_some(),
        has_access: is_owner != 0 || memberships > 0,
    }))
}

fn by(person: &Known, address: &str, now: i64) -> ChangedBy {
    ChangedBy { actor: full_name(&person.name, &person.email), address: address.to_owned(), at: now }
}

fn identity(row: &Row<'_>) -> Result<LinkedIdentity, StoreError> {
    Ok(LinkedIdentity {
        issuer: row.try_get("issuer")?,
        email: row.try_get("email")?,
        used_at: row.try_get("used_at")?,
    })
}
