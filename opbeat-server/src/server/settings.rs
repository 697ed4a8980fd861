//! The settings of single apps.

use crate::store::{AppSettings, Setting, Store, StoreError};

/// The settings of an app cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// The app does not exist.
    #[error("there is no app \"{0}\"; `opbeat app create {0}` creates it")]
    NoApp(String),
    /// The database failed.
    #[error("cannot store the settings")]
    Database(#[from] StoreError),
}

/// Changes settings of an app, named as in `acme/shop`, and returns all settings then. A setting without a value becomes
/// that of the server.
///
/// A running server uses them within five seconds.
pub(crate) async fn change_settings(
    store: &Store,
    (organization, app): (&str, &str),
    changes: &[(Setting, Option<i64>)],
) -> Result<AppSettings, SettingsError> {
    let settings = store.change_settings((organization, app), changes).await?;
    settings.ok_or_else(|| SettingsError::NoApp(format!("{organization}/{app}")))
}
