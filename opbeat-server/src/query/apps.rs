//! Which apps there are, and how they are.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Query, QueryError, Range, Scope, rfc3339};
use crate::store::read::AppName;

/// An app's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct AppIdentity {
    /// The organization's id.
    pub organization_id: String,
    /// The organization's short name.
    pub organization: String,
    /// The app's id.
    pub id: String,
    /// The app's short name.
    pub name: String,
}

/// An app and its last hour.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AppSummary {
    /// The app.
    #[serde(flatten)]
    pub app: AppIdentity,
    /// Transactions a minute in the last hour.
    pub per_minute: f64,
    /// The share of them that failed, from 0 to 1.
    pub failed_share: f64,
    /// When it was heard of last, RFC 3339 in UTC.
    pub last_seen: Option<String>,
    /// Error groups that are open.
    pub open_errors: i64,
}

impl Query {
    /// Returns the apps that a reader may see.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn apps(&self, scope: &Scope, now: i64) -> Result<Vec<AppSummary>, QueryError> {
        let apps = self.store.apps(scope, now - 3_600).await?;
        Ok(apps
            .into_iter()
            .map(|activity| AppSummary {
                app: activity.app.into(),
                per_minute: activity.count as f64 / 60.0,
                failed_share: activity.failed as f64 / activity.count.max(1) as f64,
                last_seen: activity.last_seen.map(rfc3339),
                open_errors: activity.open_errors,
            })
            .collect())
    }

    /// Finds an app by ids or short names, if the reader may see it.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn find_app(
        &self,
        scope: &Scope,
        organization: &str,
        app: &str,
    ) -> Result<Option<AppIdentity>, QueryError> {
        Ok(self.store.find_app(scope, organization, app).await?.map(Into::into))
    }

    /// Returns the range to begin with: the last hour, less if the app is new, more if it is silent.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn default_range(&self, app: &AppIdentity, now: i64) -> Result<Range, QueryError> {
        let (first, last) = self.store.activity(&app.id).await?.unwrap_or_default();
        Ok(Range::for_activity(first / 1_000_000, last / 1_000_000, now))
    }

    /// Returns whether an app has ever been heard of.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn has_reported(&self, app: &AppIdentity) -> Result<bool, QueryError> {
        Ok(self.store.activity(&app.id).await?.is_some())
    }
}

impl From<AppName> for AppIdentity {
    fn from(app: AppName) -> Self {
        let AppName { organization_id, organization, id, name } = app;
        Self { organization_id, organization, id, name }
    }
}
