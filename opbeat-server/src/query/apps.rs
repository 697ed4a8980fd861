//! Apps, and their activity in the last hour.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{Query, QueryError, Range, Scope};
use crate::store::read::{AppActivity, AppFilter, AppName};

/// An app's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct AppIdentity {
    /// The organization's id.
    pub(crate) organization_id: String,
    /// The organization's short name.
    pub(crate) organization: String,
    /// The app's id.
    pub(crate) id: String,
    /// The app's short name.
    pub(crate) name: String,
}

/// An app, and its last hour.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AppSummary {
    /// The app.
    #[serde(flatten)]
    pub(crate) app: AppIdentity,
    /// Transactions per minute in the last hour, or since the app's first data if that is later.
    pub(crate) per_minute: f64,
    /// The share of them that failed, from 0 to 1.
    pub(crate) failed_share: f64,
    /// The time of its latest transaction or error, RFC 3339 in UTC.
    #[schema(value_type = Option<String>)]
    pub(crate) last_seen: Option<Timestamp>,
    /// The number of open error groups.
    pub(crate) open_errors: i64,
}

/// Some of the apps that a reader may see.
#[derive(Clone, Debug)]
pub(crate) struct AppList {
    /// The number of all apps that match the filter.
    pub(crate) total: i64,
    /// The requested part of the list, in the order of the names.
    pub(crate) apps: Vec<AppSummary>,
}

impl Query {
    /// Returns some of the apps that a reader may see.
    pub(crate) async fn apps(
        &self,
        scope: &Scope,
        filter: AppFilter<'_>,
        part: (i64, i64),
        now: Timestamp,
    ) -> Result<AppList, QueryError> {
        let since = now.as_second() - 3_600;
        let (apps, total) = self.store.apps(scope, filter, since, part).await?;
        // The rows of the minutes that begin after `since` are counted.
        let since = since + (-since).rem_euclid(60);
        let minutes = |first_seen: Option<i64>| {
            let first = first_seen.map_or(since, |first| since.max(first.div_euclid(1_000_000)));
            (now.as_second() - first).max(60) as f64 / 60.0
        };
        let summary = |activity: AppActivity| AppSummary {
            app: activity.app.into(),
            per_minute: activity.count as f64 / minutes(activity.first_seen),
            failed_share: activity.failed as f64 / activity.count.max(1) as f64,
            last_seen: activity.last_seen.map(from_micros),
            open_errors: activity.open_errors,
        };
        Ok(AppList { total, apps: apps.into_iter().map(summary).collect() })
    }

    /// Finds an app by ids or short names, if the reader may see it.
    pub(crate) async fn find_app(
        &self,
        scope: &Scope,
        organization: &str,
        app: &str,
    ) -> Result<Option<AppIdentity>, QueryError> {
        Ok(self.store.find_app(scope, organization, app).await?.map(Into::into))
    }

    /// Returns the range that a page shows first: the last hour, less for a new app, more for a silent one.
    pub(crate) async fn default_range(&self, app: &AppIdentity, now: Timestamp) -> Result<Range, QueryError> {
        let (first, last) = self.store.activity(&app.id).await?.unwrap_or_default();
        Ok(Range::for_activity(from_micros(first), from_micros(last), now))
    }

    /// Returns the time of an app's first data, in seconds since 1970.
    pub(super) async fn first_data(&self, app: &AppIdentity) -> Result<i64, QueryError> {
        let (first, _) = self.store.activity(&app.id).await?.unwrap_or_default();
        Ok(first.div_euclid(1_000_000))
    }

    /// Returns whether an app has ever reported a transaction or an error.
    pub(crate) async fn has_reported(&self, app: &AppIdentity) -> Result<bool, QueryError> {
        Ok(self.store.activity(&app.id).await?.is_some())
    }
}

impl From<AppName> for AppIdentity {
    fn from(app: AppName) -> Self {
        let AppName { organization_id, organization, id, name } = app;
        Self { organization_id, organization, id, name }
    }
}
