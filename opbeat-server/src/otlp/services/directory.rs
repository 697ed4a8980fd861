//! The apps that services report to.

use futures_util::future::BoxFuture;

use crate::intake::{DirectoryUnavailable, TokenOwner};

/// The app that a service reports to, or the reason why it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FindService {
    /// The app's id.
    App(String),
    /// The organization does not allow apps to be created by services.
    Refused,
    /// The name has no letters or digits.
    InvalidName,
    /// The organization has too many apps.
    TooManyApps,
}

/// Finds or creates the app of a service.
pub(crate) trait ServiceDirectory: Send + Sync + 'static {
    /// Returns the app that a service reports to with a token. The name of the service is neither empty nor that of the
    /// token's app.
    fn find<'a>(
        &'a self,
        owner: &'a TokenOwner,
        service: &'a str,
    ) -> BoxFuture<'a, Result<FindService, DirectoryUnavailable>>;
}
