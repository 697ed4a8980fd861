//! Organizations, apps and their tokens.

use super::database::Store;
use super::engine::{Connection, Row, query};
use super::error::StoreError;
use crate::intake::TokenOwner;
use crate::random::random_hex;

/// An app that was created or found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct App {
    /// The organization's id.
    pub(crate) organization_id: String,
    /// The app's id.
    pub(crate) app_id: String,
}

/// The names of a new app. Missing ids are generated.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewApp {
    /// The organization's short name.
    pub(crate) organization: String,
    /// The app's short name.
    pub(crate) app: String,
    /// The organization's id, if its agents already use one.
    pub(crate) organization_id: Option<String>,
    /// The app's id, if its agents already use one.
    pub(crate) app_id: Option<String>,
}

impl Store {
    /// Creates an organization and an app unless they exist, and adds a secret token by its SHA-256.
    ///
    /// Fails with a permanent error if the id or the token is already in use.
    pub(crate) async fn create_app(&self, new: &NewApp, token_hash: &[u8; 32], now: i64) -> Result<App, StoreError> {
        let (new, token_hash) = (new.clone(), *token_hash);
        self.write(move |connection| {
            let organization_id = create_organization(connection, &new, now)?;
            let app_id = create_app(connection, &new, &organization_id, now)?;
            query("INSERT INTO secret_tokens (hash, app_id, created_at) VALUES (?, ?, ?)")
                .bind(&token_hash)
                .bind(&app_id)
                .bind(now)
                .execute(connection)?;
            Ok(App { organization_id, app_id })
        })
        .await
    }

    /// Returns all secret tokens with their apps.
    pub(crate) async fn secret_tokens(&self) -> Result<Vec<TokenOwner>, StoreError> {
        let rows = query(
            "SELECT secret_tokens.hash, organizations.id AS organization_id, organizations.short_name AS organization,
                    apps.id AS app_id, apps.short_name AS app
             FROM secret_tokens
             JOIN apps ON apps.id = secret_tokens.app_id
             JOIN organizations ON organizations.id = apps.organization_id",
        )
        .read_all(&self.readers)
        .await?;
        rows.iter().map(token_owner).collect()
    }
}

fn token_owner(row: &Row<'_>) -> Result<TokenOwner, StoreError> {
    let hash: &[u8] = row.try_get("hash")?;
    Ok(TokenOwner {
        token_hash: hash.try_into().map_err(|_| std::io::Error::other("the hash of a token does not have 32 bytes"))?,
        organization_id: row.try_get("organization_id")?,
        organization: row.try_get("organization")?,
        app_id: row.try_get("app_id")?,
        app: row.try_get("app")?,
    })
}

/// Returns the id of an organization with a short name, and creates the organization if it does not exist.
pub(super) fn create_organization(connection: &mut Connection, new: &NewApp, now: i64) -> Result<String, StoreError> {
    if let Some(id) = find_organization(connection, &new.organization)? {
        return Ok(id);
    }
    let id = new.organization_id.clone().unwrap_or_else(random_hex::<16>);
    query("INSERT INTO organizations (id, short_name, created_at) VALUES (?, ?, ?)")
        .bind(&id)
        .bind(&new.organization)
        .bind(now)
        .execute(connection)?;
    Ok(id)
}

/// Returns the id of an organization with a short name.
pub(super) fn find_organization(connection: &mut Connection, short_name: &str) -> Result<Option<String>, StoreError> {
    let row = query("SELECT id FROM organizations WHERE short_name = ?");
    let row = row.bind(short_name).fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Returns the id of an app with a short name, and creates the app if it does not exist.
pub(super) fn create_app(
    connection: &mut Connection,
    new: &NewApp,
    organization_id: &str,
    now: i64,
) -> Result<String, StoreError> {
    let known = query("SELECT id FROM apps WHERE organization_id = ? AND short_name = ?")
        .bind(organization_id)
        .bind(&new.app)
        .fetch_optional(&mut *connection)?;
    if let Some(row) = known {
        return Ok(row.try_get(0)?);
    }
    let id = new.app_id.clone().unwrap_or_else(random_hex::<5>);
    query("INSERT INTO apps (id, organization_id, short_name, created_at) VALUES (?, ?, ?, ?)")
        .bind(&id)
        .bind(organization_id)
        .bind(&new.app)
        .bind(now)
        .execute(connection)?;
    Ok(id)
}
