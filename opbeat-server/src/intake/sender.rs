//! The app that a request belongs to.

use super::authenticate::TokenOwner;
use super::origins::BrowserApp;

/// The app that a request belongs to.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    /// The organization's short name.
    pub(super) organization: String,
    /// The app's short name.
    pub(super) app: String,
    /// The app's id.
    pub(super) app_id: String,
    /// Whether a browser sent the request, without a token.
    pub(super) is_browser: bool,
}

impl From<TokenOwner> for Sender {
    fn from(owner: TokenOwner) -> Self {
        let TokenOwner { organization, app, app_id, .. } = owner;
        Self { organization, app, app_id, is_browser: false }
    }
}

impl From<&BrowserApp> for Sender {
    fn from(app: &BrowserApp) -> Self {
        let BrowserApp { organization, app, app_id, .. } = app.clone();
        Self { organization, app, app_id, is_browser: true }
    }
}
