//! The apps of services, and what happens to services that have none.

use serde::{Deserialize, Serialize};

use super::database::Store;
use super::engine::query;
use super::error::StoreError;
use crate::random::random_hex;

/// The treatment of telemetry whose service is not the app of its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnknownServices {
    /// It is refused.
    Refuse,
    /// It belongs to the app with the service's name, which is created if it does not exist.
    Create,
    /// It belongs to the token's app.
    Single,
}

impl UnknownServices {
    /// Returns the setting's name.
    const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Create => "create",
            Self::Single => "single",
        }
    }

    /// Returns the setting with a name.
    fn of_name(name: &str) -> Self {
        match name {
            "create" => Self::Create,
            "single" => Self::Single,
            _ => Self::Refuse,
        }
    }
}

/// The result of the look-up of a service's app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AppLookup {
    /// The id of the app.
    Found(String),
    /// There is no such app, and the organization can have more apps.
    Missing,
    /// There is no such app, and the organization has too many apps.
    TooMany,
}

impl Store {
    /// Returns the settings of all organizations, each with the id of the organization.
    pub(crate) async fn settings_of_services(&self) -> Result<Vec<(String, UnknownServices)>, StoreError> {
        let rows = query("SELECT id, unknown_services FROM organizations").read_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, UnknownServices::of_name(row.try_get(1)?)))).collect()
    }

    /// Returns all apps: the id of the organization, the short name, and the id.
    pub(crate) async fn names_of_apps(&self) -> Result<Vec<(String, String, String)>, StoreError> {
        let rows = query("SELECT organization_id, short_name, id FROM apps").read_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
    }

    /// Changes the setting of an organization by its short name. Returns false if there is no such organization.
    pub(crate) async fn set_unknown_services(
        &self,
        organization: &str,
        setting: UnknownServices,
    ) -> Result<bool, StoreError> {
        let changed = query("UPDATE organizations SET unknown_services = ? WHERE short_name = ?")
            .bind(setting.name())
            .bind(organization)
            .run(&self.writer)
            .await?;
        Ok(changed > 0)
    }

    /// Looks up an organization's app by its short name, and whether the organization has `most` apps, without the
    /// connection that writes.
    pub(crate) async fn look_up_app(
        &self,
        organization_id: &str,
        name: &str,
        most: i64,
    ) -> Result<AppLookup, StoreError> {
        let row = query(
            "SELECT (SELECT id FROM apps WHERE organization_id = ?1 AND short_name = ?2) AS app_id,
                    (SELECT count(*) FROM apps WHERE organization_id = ?1) AS apps",
        )
        .bind(organization_id)
        .bind(name)
        .read_one(&self.readers)
        .await?;
        Ok(match (row.try_get("app_id")?, row.try_get::<i64, _>("apps")? >= most) {
            (Some(app_id), _) => AppLookup::Found(app_id),
            (None, true) => AppLookup::TooMany,
            (None, false) => AppLookup::Missing,
        })
    }

    /// Returns the id of an organization's app with a short name, and creates the app if it does not exist.
    ///
    /// Returns `None` if the organization has `most` apps already. A new app has no token.
    pub(crate) async fn find_or_create_app(
        &self,
        organization_id: &str,
        name: &str,
        most: i64,
        now: i64,
    ) -> Result<Option<String>, StoreError> {
        let (organization_id, name) = (organization_id.to_owned(), name.to_owned());
        self.write(move |connection| {
            query(
                "INSERT INTO apps (id, organization_id, short_name, created_at)
                 SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM apps WHERE organization_id = ?2) < ?5
                 ON CONFLICT (organization_id, short_name) DO NOTHING",
            )
            .bind(random_hex::<5>())
            .bind(&organization_id)
            .bind(&name)
            .bind(now)
            .bind(most)
            .execute(connection)?;
            let row = query("SELECT id FROM apps WHERE organization_id = ? AND short_name = ?");
            let row = row.bind(&organization_id).bind(&name).fetch_optional(connection)?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        })
        .await
    }
}
