//! The tokens of all organizations, for the commands that list and revoke them.

use super::access::Access;
use super::database::Store;
use super::engine::{Row, query};
use super::error::StoreError;
use super::people::record;
use super::probe::ORGANIZATION as PROBE;
use crate::audit::{AuditAction, ChangedBy};

/// A token, of which only the hash is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TokenRow {
    /// Its SHA-256.
    pub(crate) hash: [u8; 32],
    /// The short name of its organization.
    pub(crate) organization: String,
    /// The short name of the app that a secret token belongs to, or `None` for a token of the API and the pages.
    pub(crate) app: Option<String>,
    /// The operations that a token of the API and the pages allows, or `None` for a secret token.
    pub(crate) access: Option<Access>,
    /// The name of a token of the API and the pages, or an empty string.
    pub(crate) name: String,
    /// When it was created, in microseconds since 1970.
    pub(crate) created_at: i64,
}

impl Store {
    /// Adds a token of the API and the pages for an organization, by its SHA-256. Returns false if there is no such
    /// organization.
    pub(crate) async fn create_token(
        &self,
        organization: &str,
        token_hash: &[u8; 32],
        (access, name): (Access, &str),
        now: i64,
    ) -> Result<bool, StoreError> {
        let (organization, hash, name) = (organization.to_owned(), *token_hash, name.to_owned());
        self.write(move |connection| {
            let created = query(
                "INSERT INTO read_tokens (hash, organization_id, created_at, access, name)
                 SELECT ?, id, ?, ?, ? FROM organizations WHERE short_name = ? RETURNING organization_id",
            )
            .bind(&hash)
            .bind(now)
            .bind(access.as_str())
            .bind(&name)
            .bind(&organization)
            .fetch_optional(connection)?;
            let Some(row) = created else { return Ok(false) };
            if access == Access::Manage {
                let (by, action) = (ChangedBy::command_line(), AuditAction::ManagingTokenCreated { token: name });
                record(connection, Some(row.try_get(0)?), &by, &action)?;
            }
            Ok(true)
        })
        .await
    }

    /// Returns all tokens in the order of their hashes, except for those of the server's own probe.
    pub(crate) async fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let rows = query(
            "SELECT secret_tokens.hash AS hash, organizations.short_name AS organization, apps.short_name AS app,
                    secret_tokens.created_at AS created_at, NULL AS access, '' AS name
             FROM secret_tokens
             JOIN apps ON apps.id = secret_tokens.app_id
             JOIN organizations ON organizations.id = apps.organization_id
             WHERE organizations.short_name <> ?
             UNION ALL
             SELECT read_tokens.hash, organizations.short_name, NULL, read_tokens.created_at, read_tokens.access,
                    read_tokens.name
             FROM read_tokens JOIN organizations ON organizations.id = read_tokens.organization_id
             ORDER BY 1",
        )
        .bind(PROBE)
        .read_all(&self.readers)
        .await?;
        let row = |row: &Row<'_>| {
            let hash: &[u8] = row.try_get("hash")?;
            Ok(TokenRow {
                hash: hash
                    .try_into()
                    .map_err(|_| std::io::Error::other("the hash of a token does not have 32 bytes"))?,
                organization: row.try_get("organization")?,
                app: row.try_get("app")?,
                access: row.try_get::<Option<&str>, _>("access")?.map(Access::of),
                name: row.try_get("name")?,
                created_at: row.try_get("created_at")?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Removes the token with a SHA-256, and the sessions that were opened with it. Returns whether there was one.
    pub(crate) async fn remove_token(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let hash = *hash;
        self.write(move |connection| {
            let mut removed = 0;
            for statement in ["DELETE FROM secret_tokens WHERE hash = ?", "DELETE FROM read_tokens WHERE hash = ?"] {
                removed += query(statement).bind(&hash).execute(connection)?;
            }
            Ok(removed > 0)
        })
        .await
    }
}
