//! The accounts of people.

use super::audit::{record, record_of_person};
use super::membership::{Changed, find, join, set_role};
use crate::audit::{AuditAction, ChangedBy};
use crate::random::random_hex;
use crate::role::Role;
use crate::store::apps::{App, NewApp, create_app, create_organization, find_organization};
use crate::store::database::Store;
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;
use crate::store::locks::lock_people;
use crate::store::probe::ORGANIZATION as PROBE;

/// A person with the hash of the password.
#[derive(Clone)]
pub(crate) struct Account {
    /// The id.
    pub(crate) id: String,
    /// The e-mail address, in lower case.
    pub(crate) email: String,
    /// The name.
    pub(crate) name: String,
    /// The hash of the password in the PHC string format, or `None` if the person has none.
    pub(crate) password: Option<String>,
    /// Whether the person may do everything on this server.
    pub(crate) is_owner: bool,
}

/// The hash is omitted, so that logs do not contain it.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A person to create.
#[derive(Clone)]
pub(crate) struct NewPerson {
    /// The e-mail address, in lower case.
    pub(crate) email: String,
    /// The name.
    pub(crate) name: String,
    /// The hash of the password, in the PHC string format, or `None` for a person who signs in otherwise.
    pub(crate) password: Option<String>,
}

/// The hash is omitted, so that logs do not contain it.
impl std::fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPerson").field("email", &self.email).finish_non_exhaustive()
    }
}

/// The result of creating a person on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// The person is new.
    New,
    /// The person has an account, and keeps the name and the password.
    Known,
    /// There is no such organization.
    NoOrganization,
    /// The organization would have no admin.
    LastAdmin,
}

/// A person who changes the own password in a browser.
#[derive(Clone)]
pub(crate) struct OwnChange {
    /// The hash of the password that the person confirmed. A password that somebody else has set meanwhile stays.
    pub(crate) before: String,
    /// The SHA-256 of the id of the browser's session, which does not end.
    pub(crate) session: [u8; 32],
}

/// The result of the first run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstRun {
    /// The id of the owner.
    pub(crate) person_id: String,
    /// The first app, if the server had no organization before.
    pub(crate) app: Option<App>,
}

impl Store {
    /// Returns whether the server has a person.
    pub(crate) async fn has_people(&self) -> Result<bool, StoreError> {
        Ok(query("SELECT 1 FROM people LIMIT 1").read_optional(&self.readers).await?.is_some())
    }

    /// Returns the account with an e-mail address in lower case, unless it is disabled.
    pub(crate) async fn account(&self, email: &str) -> Result<Option<Account>, StoreError> {
        let row =
            query("SELECT id, email, name, password, is_owner FROM people WHERE email = ? AND disabled_at IS NULL");
        row.bind(email).read_optional(&self.readers).await?.as_ref().map(account).transpose()
    }

    /// Returns the account with an id, unless it is disabled.
    pub(crate) async fn account_of(&self, person_id: &str) -> Result<Option<Account>, StoreError> {
        let row = query("SELECT id, email, name, password, is_owner FROM people WHERE id = ? AND disabled_at IS NULL");
        row.bind(person_id).read_optional(&self.readers).await?.as_ref().map(account).transpose()
    }

    /// Creates the owner of the server, as an admin of all organizations. Without organizations, the first app is created
    /// with its organization and a secret token, given by its SHA-256.
    ///
    /// Returns `None` if the server has a person already.
    pub(crate) async fn create_owner(
        &self,
        person: NewPerson,
        first_app: NewApp,
        token_hash: [u8; 32],
        by: ChangedBy,
    ) -> Result<Option<FirstRun>, StoreError> {
        self.write(move |connection| {
            lock_people(connection)?;
            if query("SELECT 1 FROM people LIMIT 1").fetch_optional(connection)?.is_some() {
                return Ok(None);
            }
            let known = query("SELECT 1 FROM organizations WHERE short_name <> ? LIMIT 1").bind(PROBE);
            let app = match known.fetch_optional(connection)? {
                Some(_) => None,
                None => Some(create_first_app(connection, &first_app, &token_hash, by.at)?),
            };
            let person_id = insert_person(connection, &person, by.at)?;
            query("UPDATE people SET is_owner = 1 WHERE id = ?").bind(&person_id).execute(connection)?;
            query("DELETE FROM invitations WHERE email = ?").bind(&person.email).execute(connection)?;
            query(
                "INSERT INTO memberships (organization_id, person_id, role, created_at)
                 SELECT id, ?, ?, ? FROM organizations WHERE short_name <> ?",
            )
            .bind(&person_id)
            .bind(Role::Admin.as_str())
            .bind(by.at)
            .bind(PROBE)
            .execute(connection)?;
            let action = AuditAction::OwnerCreated { person: person.email };
            record_of_person(connection, &person_id, &by, &action)?;
            Ok(Some(FirstRun { person_id, app }))
        })
        .await
    }

    /// Creates a person unless the e-mail address is known, and makes the person a member of an organization, given by its
    /// short name. A known person keeps the name and the password.
    ///
    /// Without a role, a member keeps the own one, and others are members.
    pub(crate) async fn create_person(
        &self,
        organization: &str,
        person: NewPerson,
        (role, becomes_owner): (Option<Role>, bool),
        by: ChangedBy,
    ) -> Result<Created, StoreError> {
        let organization = organization.to_owned();
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(organization_id) = find_organization(connection, &organization)? else {
                return Ok(Created::NoOrganization);
            };
            let known = person_id_of(connection, &person.email)?;
            let created = if known.is_some() { Created::Known } else { Created::New };
            let person_id = match known {
                Some(id) => id,
                None => insert_person(connection, &person, by.at)?,
            };
            match (find(connection, &organization_id, &person_id)?, role) {
                (None, role) => {
                    let role = role.unwrap_or(Role::Member);
                    join(connection, &organization_id, &person_id, role, by.at)?;
                    let action = AuditAction::PersonCreated { person: person.email.clone(), role };
                    record(connection, Some(&organization_id), &by, &action)?;
                }
                (Some(member), Some(role)) => {
                    if set_role(connection, &organization_id, member, role, &by)? == Changed::LastAdmin {
                        return Ok(Created::LastAdmin);
                    }
                }
                (Some(_), None) => {}
            }
            if becomes_owner {
                set_owner(connection, &person_id, true, &AuditAction::OwnerAdded { person: person.email }, &by)?;
            }
            Ok(created)
        })
        .await
    }

    /// Takes the ownership of the server from a person, who keeps the roles.
    pub(crate) async fn remove_owner(&self, email: &str, by: ChangedBy) -> Result<Changed, StoreError> {
        let email = email.to_owned();
        self.write(move |connection| {
            lock_people(connection)?;
            let Some(person_id) = person_id_of(connection, &email)? else { return Ok(Changed::Missing) };
            set_owner(connection, &person_id, false, &AuditAction::OwnerRemoved { person: email }, &by)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Replaces the hash of a person's password, and ends all sessions but the one of the browser that changed it.
    ///
    /// Returns [`Changed::Missing`] if the person is unknown or confirmed a password that is outdated.
    pub(crate) async fn set_password(
        &self,
        person_id: &str,
        password: String,
        own: Option<OwnChange>,
        by: ChangedBy,
    ) -> Result<Changed, StoreError> {
        let person_id = person_id.to_owned();
        self.write(move |connection| {
            // Sign-ins wait too: otherwise one with the password before could open a session after the others ended.
            lock_people(connection)?;
            let row = query("SELECT email, password FROM people WHERE id = ?").bind(&person_id);
            let Some(row) = row.fetch_optional(connection)? else { return Ok(Changed::Missing) };
            let (person, before): (String, Option<String>) = (row.try_get("email")?, row.try_get("password")?);
            if own.as_ref().is_some_and(|own| before.as_ref() != Some(&own.before)) {
                return Ok(Changed::Missing);
            }
            query("UPDATE people SET password = ? WHERE id = ?").bind(password).bind(&person_id).execute(connection)?;
            query("DELETE FROM person_sessions WHERE person_id = ? AND hash <> ?")
                .bind(&person_id)
                .bind(own.as_ref().map_or_else(Vec::new, |own| own.session.to_vec()))
                .execute(connection)?;
            let action = match own {
                Some(_) => AuditAction::PasswordChanged { person },
                None => AuditAction::PasswordReset { person },
            };
            record_of_person(connection, &person_id, &by, &action)?;
            Ok(Changed::Done)
        })
        .await
    }

    /// Changes the name of a person.
    pub(crate) async fn rename_person(&self, person_id: &str, name: &str) -> Result<(), StoreError> {
        query("UPDATE people SET name = ? WHERE id = ?").bind(name).bind(person_id).run(&self.writer).await?;
        Ok(())
    }
}

/// Returns the id of the person with an e-mail address.
pub(super) fn person_id_of(connection: &mut Connection, email: &str) -> Result<Option<String>, StoreError> {
    let row = query("SELECT id FROM people WHERE email = ?").bind(email).fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Adds a person who does not own the server, and returns the id.
pub(super) fn insert_person(connection: &mut Connection, person: &NewPerson, now: i64) -> Result<String, StoreError> {
    let id = random_hex::<16>();
    query("INSERT INTO people (id, email, name, password, is_owner, created_at) VALUES (?, ?, ?, ?, 0, ?)")
        .bind(&id)
        .bind(&person.email)
        .bind(&person.name)
        .bind(person.password.as_deref())
        .bind(now)
        .execute(connection)?;
    Ok(id)
}

/// Makes a person an owner of the server, or ends that.
fn set_owner(
    connection: &mut Connection,
    person_id: &str,
    is_owner: bool,
    action: &AuditAction,
    by: &ChangedBy,
) -> Result<(), StoreError> {
    let update = query("UPDATE people SET is_owner = ?1 WHERE id = ?2 AND is_owner <> ?1");
    if update.bind(i64::from(is_owner)).bind(person_id).execute(connection)? > 0 {
        record_of_person(connection, person_id, by, action)?;
    }
    Ok(())
}

fn create_first_app(
    connection: &mut Connection,
    new: &NewApp,
    token_hash: &[u8; 32],
    now: i64,
) -> Result<App, StoreError> {
    let organization_id = create_organization(connection, new, now)?;
    let app_id = create_app(connection, new, &organization_id, now)?;
    query("INSERT INTO secret_tokens (hash, app_id, created_at) VALUES (?, ?, ?)")
        .bind(token_hash)
        .bind(&app_id)
        .bind(now)
        .execute(connection)?;
    Ok(App { organization_id, app_id })
}

fn account(row: &Row<'_>) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        password: row.try_get("password")?,
        is_owner: row.try_get::<i64, _>("is_owner")? != 0,
    })
}
