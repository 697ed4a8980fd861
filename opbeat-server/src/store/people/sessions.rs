//! Browsers in which a person signed in.

use std::collections::BTreeMap;

use crate::role::Role;
use crate::store::access::{Holder, Rights, Scope};
use crate::store::database::Store;
use crate::store::engine::{Row, query};
use crate::store::error::StoreError;
use crate::store::locks::lock_people;

/// The largest number of sessions of one person. Older ones end.
const MAX_SESSIONS: i64 = 50;

/// The largest number of organizations that a person may see.
const MAX_ORGANIZATIONS: i64 = 1_000;

/// A browser in which a person signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PersonSession {
    /// The SHA-256 of its id.
    pub(crate) hash: [u8; 32],
    /// The time of the sign-in, in microseconds since 1970.
    pub(crate) created_at: i64,
    /// The address of the browser at the sign-in.
    pub(crate) address: String,
    /// The start of its `User-Agent`.
    pub(crate) browser: String,
}

impl Store {
    /// Adds a session of a person, which ends at a time in microseconds since 1970. Returns false if the hash of the person's
    /// password is not the given one any more: a new password ends sessions, and a sign-in with the one before must not
    /// open another.
    pub(crate) async fn open_person_session(
        &self,
        person_id: &str,
        password: Option<&str>,
        session: PersonSession,
        expires_at: i64,
    ) -> Result<bool, StoreError> {
        let (person_id, password) = (person_id.to_owned(), password.map(str::to_owned));
        self.write(move |connection| {
            lock_people(connection)?;
            let row = query("SELECT password FROM people WHERE id = ? AND disabled_at IS NULL").bind(&person_id);
            let Some(row) = row.fetch_optional(connection)? else { return Ok(false) };
            if password.is_some() && row.try_get::<Option<String>, _>(0)? != password {
                return Ok(false);
            }
            query(
                "INSERT INTO person_sessions (hash, person_id, created_at, expires_at, address, browser)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(&session.hash)
            .bind(&person_id)
            .bind(session.created_at)
            .bind(expires_at)
            .bind(&session.address)
            .bind(&session.browser)
            .execute(connection)?;
            let outdated = "DELETE FROM person_sessions WHERE person_id = ?1 AND (expires_at <= ?2 OR hash NOT IN (
                     SELECT hash FROM person_sessions WHERE person_id = ?1
                     ORDER BY created_at DESC, hash LIMIT ?3))";
            query(outdated).bind(&person_id).bind(session.created_at).bind(MAX_SESSIONS).execute(connection)?;
            Ok(true)
        })
        .await
    }

    /// Returns the rights of a person's session, unless the session has ended.
    pub(crate) async fn rights_of_person_session(
        &self,
        session_hash: &[u8; 32],
        now: i64,
    ) -> Result<Option<Rights>, StoreError> {
        let rows = query(
            "SELECT people.id AS id, people.email AS email, people.name AS name, people.is_owner AS is_owner,
                    memberships.organization_id AS organization_id, memberships.role AS role
             FROM person_sessions JOIN people ON people.id = person_sessions.person_id
             LEFT JOIN memberships ON memberships.person_id = people.id
             WHERE person_sessions.hash = ? AND person_sessions.expires_at > ? AND people.disabled_at IS NULL
             ORDER BY memberships.organization_id LIMIT ?",
        )
        .bind(&session_hash[..])
        .bind(now)
        .bind(MAX_ORGANIZATIONS)
        .read_all(&self.readers)
        .await?;
        rights(&rows)
    }

    /// Returns the sessions of a person that have not ended, the newest first.
    pub(crate) async fn person_sessions(&self, person_id: &str, now: i64) -> Result<Vec<PersonSession>, StoreError> {
        let rows = query(
            "SELECT hash, created_at, address, browser FROM person_sessions
             WHERE person_id = ? AND expires_at > ? ORDER BY created_at DESC, hash LIMIT ?",
        )
        .bind(person_id)
        .bind(now)
        .bind(MAX_SESSIONS)
        .read_all(&self.readers)
        .await?;
        rows.iter().map(session).collect()
    }

    /// Ends a session by its hash. Unknown ones, which anybody can send, do not keep the writer busy.
    pub(crate) async fn close_person_session(&self, session_hash: &[u8; 32]) -> Result<(), StoreError> {
        let is_known = query("SELECT 1 FROM person_sessions WHERE hash = ?").bind(&session_hash[..]);
        if is_known.read_optional(&self.readers).await?.is_none() {
            return Ok(());
        }
        query("DELETE FROM person_sessions WHERE hash = ?").bind(&session_hash[..]).run(&self.writer).await?;
        Ok(())
    }

    /// Ends one session of a person, given its hash.
    pub(crate) async fn end_person_session(&self, person_id: &str, hash: &[u8; 32]) -> Result<(), StoreError> {
        let delete = query("DELETE FROM person_sessions WHERE person_id = ? AND hash = ?");
        delete.bind(person_id).bind(&hash[..]).run(&self.writer).await?;
        Ok(())
    }

    /// Ends all sessions of a person but the one with a hash.
    pub(crate) async fn end_other_sessions(&self, person_id: &str, kept: &[u8; 32]) -> Result<(), StoreError> {
        let delete = query("DELETE FROM person_sessions WHERE person_id = ? AND hash <> ?");
        delete.bind(person_id).bind(&kept[..]).run(&self.writer).await?;
        Ok(())
    }
}

/// Returns the rights of a person, given a row for each organization.
fn rights(rows: &[Row<'_>]) -> Result<Option<Rights>, StoreError> {
    let Some(first) = rows.first() else { return Ok(None) };
    let mut roles = BTreeMap::new();
    for row in rows {
        if let Some(organization_id) = row.try_get::<Option<String>, _>("organization_id")? {
            roles.insert(organization_id, Role::of(row.try_get("role")?));
        }
    }
    let is_owner = first.try_get::<i64, _>("is_owner")? != 0;
    Ok(Some(Rights {
        scope: if is_owner { Scope::Everything } else { Scope::Organizations(roles) },
        actor: first.try_get("name")?,
        holder: Holder::Person { id: first.try_get("id")?, email: first.try_get("email")? },
    }))
}

fn session(row: &Row<'_>) -> Result<PersonSession, StoreError> {
    let hash: &[u8] = row.try_get("hash")?;
    Ok(PersonSession {
        hash: hash.try_into().map_err(|_| std::io::Error::other("the hash of a session does not have 32 bytes"))?,
        created_at: row.try_get("created_at")?,
        address: row.try_get("address")?,
        browser: row.try_get("browser")?,
    })
}
