//! The web pages whose browsers may send data.

use jiff::Timestamp;

use crate::intake::AllowedOrigin;
use crate::store::{Store, StoreError};

/// The allowed origins of an app cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OriginsError {
    /// The app does not exist.
    #[error("there is no app \"{0}\"; `opbeat app create {0}` creates it")]
    NoApp(String),
    /// The database failed.
    #[error("cannot store the origins")]
    Database(#[from] StoreError),
}

/// Adds and removes allowed origins of an app, named as in `acme/shop`, and returns all of them then.
///
/// A running server uses a new one at once, and notices within five seconds that one was removed.
pub(crate) async fn change_origins(
    store: &Store,
    (organization, app): (&str, &str),
    added: &[AllowedOrigin],
    removed: &[AllowedOrigin],
) -> Result<Vec<String>, OriginsError> {
    let now = Timestamp::now().as_microsecond();
    let origins = store.change_origins((organization, app), added, removed, now).await?;
    origins.ok_or_else(|| OriginsError::NoApp(format!("{organization}/{app}")))
}
