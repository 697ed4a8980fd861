//! The rows of the audit log.

use crate::audit::{AuditAction, ChangedBy};
use crate::store::database::Store;
use crate::store::engine::{Connection, Row, query};
use crate::store::error::StoreError;

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditRow {
    /// Its number. Later entries have greater ones.
    pub(crate) id: i64,
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// The name of the person or of another author.
    pub(crate) actor: String,
    /// The address of the browser, or an empty string.
    pub(crate) address: String,
    /// The change.
    pub(crate) action: AuditAction,
}

/// Writes an entry. Without an organization it is about the whole server.
pub(in crate::store) fn record(
    connection: &mut Connection,
    organization_id: Option<&str>,
    by: &ChangedBy,
    action: &AuditAction,
) -> Result<(), StoreError> {
    let action = serde_json::to_string(action).map_err(std::io::Error::from)?;
    query("INSERT INTO audit_log (organization_id, happened_at, actor, address, action) VALUES (?, ?, ?, ?, ?)")
        .bind(organization_id)
        .bind(by.at)
        .bind(&by.actor)
        .bind(&by.address)
        .bind(action)
        .execute(connection)?;
    Ok(())
}

/// Writes an entry for each organization of a person, or one for the server if the person is in none.
pub(super) fn record_of_person(
    connection: &mut Connection,
    person_id: &str,
    by: &ChangedBy,
    action: &AuditAction,
) -> Result<(), StoreError> {
    let memberships = "SELECT organization_id FROM memberships WHERE person_id = ? ORDER BY organization_id LIMIT 100";
    let rows = query(memberships).bind(person_id).fetch_all(connection)?;
    for row in &rows {
        record(connection, Some(row.try_get(0)?), by, action)?;
    }
    if rows.is_empty() { record(connection, None, by, action) } else { Ok(()) }
}

impl Store {
    /// Writes that sign-ins to an account failed too often. An address without an account leaves no entry: anybody can make
    /// up any number of them.
    pub(crate) async fn record_failed_sign_ins(&self, email: &str, by: ChangedBy) -> Result<(), StoreError> {
        let email = email.to_owned();
        self.write(move |connection| {
            let row = query("SELECT id FROM people WHERE email = ?").bind(&email).fetch_optional(connection)?;
            let Some(row) = row else { return Ok(()) };
            record_of_person(connection, row.try_get(0)?, &by, &AuditAction::SignInsFailed { person: email })
        })
        .await
    }

    /// Returns the newest entries of an organization before a number, the newest first. Those of the whole server are among
    /// them if `with_server` is true.
    pub(crate) async fn audit_log(
        &self,
        organization_id: &str,
        with_server: bool,
        before: i64,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        // Each part reads one end of the index.
        let rows = query(
            "SELECT * FROM (SELECT id, happened_at, actor, address, action FROM audit_log
                            WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3) AS own
             UNION ALL
             SELECT * FROM (SELECT id, happened_at, actor, address, action FROM audit_log
                            WHERE organization_id IS NULL AND ?4 = 1 AND id < ?2 ORDER BY id DESC LIMIT ?3) AS server
             ORDER BY id DESC LIMIT ?3",
        )
        .bind(organization_id)
        .bind(before)
        .bind(limit)
        .bind(i64::from(with_server))
        .read_all(&self.readers)
        .await?;
        rows.iter().map(audit_row).collect()
    }
}

fn audit_row(row: &Row<'_>) -> Result<AuditRow, StoreError> {
    let action: &str = row.try_get("action")?;
    // A newer version of the server may have written values that this one does not know.
    let action = serde_json::from_str(action).unwrap_or(AuditAction::Unknown);
    Ok(AuditRow {
        id: row.try_get("id")?,
        happened_at: row.try_get("happened_at")?,
        actor: row.try_get("actor")?,
        address: row.try_get("address")?,
        action,
    })
}
