//! The settings of single apps: limits, and how long their data is kept.

use std::collections::{BTreeMap, HashMap};

use futures_util::future::BoxFuture;

use super::database::Store;
use super::engine::{Row, query};
use super::error::StoreError;
use super::origins::find_app;
use crate::intake::{AppLimits, DirectoryUnavailable, StoredUsage, UsageDirectory};

/// A setting of an app. It is a number; an app without it has the server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Setting {
    /// The number of events that the app may send in a second.
    EventsPerSecond,
    /// The number of bytes that the app may send in a second, before inflating.
    BytesPerSecond,
    /// The number of events that the app may send in the days of its quota.
    QuotaEvents,
    /// The number of days of the quota.
    QuotaDays,
    /// The days for which samples are kept.
    SampleDays,
    /// The days for which occurrences of errors are kept.
    ErrorDays,
    /// The days for which figures by day are kept.
    RollupDays,
    /// The size of samples and occurrences that are kept, in bytes.
    DiskBytes,
}

/// The settings of an app that differ from those of the server.
pub(crate) type AppSettings = BTreeMap<Setting, i64>;

impl Setting {
    /// All settings.
    pub(crate) const ALL: [Self; 8] = [
        Self::EventsPerSecond,
        Self::BytesPerSecond,
        Self::QuotaEvents,
        Self::QuotaDays,
        Self::SampleDays,
        Self::ErrorDays,
        Self::RollupDays,
        Self::DiskBytes,
    ];

    /// Returns the name of the setting, with underscores.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EventsPerSecond => "events_per_second",
            Self::BytesPerSecond => "bytes_per_second",
            Self::QuotaEvents => "quota_events",
            Self::QuotaDays => "quota_days",
            Self::SampleDays => "sample_days",
            Self::ErrorDays => "error_days",
            Self::RollupDays => "rollup_days",
            Self::DiskBytes => "disk_bytes",
        }
    }
}

impl Store {
    /// Changes settings of an app, and returns all settings then. A setting without a value becomes that of the server.
    ///
    /// Returns `None` if there is no such app.
    pub(crate) async fn change_settings(
        &self,
        (organization, app): (&str, &str),
        changes: &[(Setting, Option<i64>)],
    ) -> Result<Option<AppSettings>, StoreError> {
        let names = (organization.to_owned(), app.to_owned());
        let changes = changes.to_vec();
        self.write(move |connection| {
            let Some(app_id) = find_app(connection, &names.0, &names.1)? else { return Ok(None) };
            for (setting, value) in changes {
                let name = setting.name();
                let change = format!(
                    "INSERT INTO app_settings (app_id, {name}) VALUES (?, ?)
                     ON CONFLICT (app_id) DO UPDATE SET {name} = excluded.{name}"
                );
                query(change).bind(&app_id).bind(value).execute(connection)?;
            }
            let row = query("SELECT * FROM app_settings WHERE app_id = ?").bind(&app_id).fetch_optional(connection)?;
            row.as_ref().map_or(Ok(Some(AppSettings::new())), |row| settings(row).map(Some))
        })
        .await
    }

    /// Returns the settings of all apps that have some, by the apps' ids.
    pub(crate) async fn settings_of_apps(&self) -> Result<HashMap<String, AppSettings>, StoreError> {
        let rows = query("SELECT * FROM app_settings").read_all(&self.readers).await?;
        rows.iter().map(|row| Ok((row.try_get("app_id")?, settings(row)?))).collect()
    }

    /// Returns the limits of all apps that have limits of their own, by the apps' ids.
    pub(crate) async fn limits_of_apps(&self) -> Result<BTreeMap<String, AppLimits>, StoreError> {
        let apps = self.settings_of_apps().await?;
        let limits = apps.into_iter().map(|(app_id, settings)| (app_id, limits(&settings)));
        Ok(limits.filter(|(_, limits)| *limits != AppLimits::default()).collect())
    }
}

/// Reads the settings of a row. Negative values count as 0.
fn settings(row: &Row<'_>) -> Result<AppSettings, StoreError> {
    let mut settings = AppSettings::new();
    for setting in Setting::ALL {
        if let Some(value) = row.try_get::<Option<i64>, _>(setting.name())? {
            settings.insert(setting, value.max(0));
        }
    }
    Ok(settings)
}

impl UsageDirectory for Store {
    fn usage(&self, first_day: i64) -> BoxFuture<'_, Result<Vec<StoredUsage>, DirectoryUnavailable>> {
        Box::pin(async move { self.usage_since(first_day).await.map_err(|_| DirectoryUnavailable) })
    }
}

fn limits(settings: &AppSettings) -> AppLimits {
    let number = |setting| settings.get(&setting).and_then(|value| u64::try_from(*value).ok());
    AppLimits {
        events_per_second: number(Setting::EventsPerSecond),
        bytes_per_second: number(Setting::BytesPerSecond),
        quota_events: number(Setting::QuotaEvents),
        quota_days: number(Setting::QuotaDays).map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
    }
}
