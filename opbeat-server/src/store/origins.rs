//! The origins of web pages that may send data without a token.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::database::Store;
use super::engine::{Connection, query};
use super::error::StoreError;
use crate::intake::{AllowedOrigin, BrowserApp};

impl Store {
    /// Adds and removes allowed origins of an app, and returns all of them then.
    ///
    /// Returns `None` if there is no such app.
    pub(crate) async fn change_origins(
        &self,
        (organization, app): (&str, &str),
        added: &[AllowedOrigin],
        removed: &[AllowedOrigin],
        now: i64,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let names = (organization.to_owned(), app.to_owned());
        let texts = |origins: &[AllowedOrigin]| origins.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (added, removed) = (texts(added), texts(removed));
        self.write(move |connection| {
            let Some(app_id) = find_app(connection, &names.0, &names.1)? else { return Ok(None) };
            for origin in &removed {
                let delete = query("DELETE FROM allowed_origins WHERE app_id = ? AND origin = ?");
                delete.bind(&app_id).bind(origin).execute(connection)?;
            }
            for origin in &added {
                let insert = "INSERT INTO allowed_origins (app_id, origin, created_at) VALUES (?, ?, ?)
                              ON CONFLICT DO NOTHING";
                query(insert).bind(&app_id).bind(origin).bind(now).execute(connection)?;
            }
            let rows = query("SELECT origin FROM allowed_origins WHERE app_id = ? ORDER BY origin");
            let rows = rows.bind(&app_id).fetch_all(connection)?;
            Ok(Some(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?))
        })
        .await
    }

    /// Returns all apps that allow an origin.
    pub(crate) async fn browser_apps(&self) -> Result<Vec<BrowserApp>, StoreError> {
        let rows = query(
            "SELECT organizations.id AS organization_id, organizations.short_name AS organization,
                    apps.id AS app_id, apps.short_name AS app, allowed_origins.origin AS origin
             FROM allowed_origins
             JOIN apps ON apps.id = allowed_origins.app_id
             JOIN organizations ON organizations.id = apps.organization_id",
        )
        .read_all(&self.readers)
        .await?;
        let mut apps = BTreeMap::new();
        for row in &rows {
            let app_id: String = row.try_get("app_id")?;
            let app = match apps.entry(app_id.clone()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(BrowserApp {
                    organization_id: row.try_get("organization_id")?,
                    organization: row.try_get("organization")?,
                    app_id,
                    app: row.try_get("app")?,
                    origins: Vec::new(),
                }),
            };
            let origin: &str = row.try_get("origin")?;
            // A text that is no origin allows nothing.
            app.origins.extend(origin.parse());
        }
        Ok(apps.into_values().collect())
    }
}

/// Returns the id of an app, by ids or short names.
pub(super) fn find_app(
    connection: &mut Connection,
    organization: &str,
    app: &str,
) -> Result<Option<String>, StoreError> {
    let row = query(
        "SELECT apps.id FROM apps JOIN organizations ON organizations.id = apps.organization_id
         WHERE (organizations.id = ?1 OR organizations.short_name = ?1) AND (apps.id = ?2 OR apps.short_name = ?2)",
    )
    .bind(organization)
    .bind(app)
    .fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}
