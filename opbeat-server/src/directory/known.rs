//! The known values, in the form in which requests look them up.

use std::collections::HashMap;
use std::sync::Arc;

use super::contents::Contents;
use crate::intake::{AppLimits, BrowserApp, TokenOwner};
use crate::store::UnknownServices;

/// The known values.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// All values.
    pub(super) contents: Arc<Contents>,
    /// The owners of tokens by hash.
    tokens: HashMap<[u8; 32], TokenOwner>,
    /// The apps that allow an origin, by the name of their organization and their own, in each form of the names.
    browser_apps: HashMap<(String, String), Arc<BrowserApp>>,
    /// The organizations of all apps, by the ids of both.
    organizations: HashMap<String, String>,
}

impl Known {
    pub(super) fn new(contents: Arc<Contents>) -> Self {
        let tokens = contents.tokens.iter().map(|owner| (owner.token_hash, owner.clone())).collect();
        let mut browser_apps = HashMap::new();
        for app in &contents.browser_apps {
            let app = Arc::new(app.clone());
            for organization in [&app.organization_id, &app.organization] {
                for name in [&app.app_id, &app.app] {
                    browser_apps.insert((organization.clone(), name.clone()), Arc::clone(&app));
                }
            }
        }
        let ids =
            contents.apps.iter().flat_map(|(organization, apps)| apps.values().map(move |app| (app, organization)));
        let organizations = ids.map(|(app, organization)| (app.clone(), organization.clone())).collect();
        Self { contents, tokens, browser_apps, organizations }
    }

    /// Returns the owner of a token.
    pub(super) fn token(&self, hash: &[u8; 32]) -> Option<TokenOwner> {
        self.tokens.get(hash).cloned()
    }

    /// Returns an app by its names, if it allows the origin.
    pub(super) fn browser_app(&self, names: &(String, String), origin: &str) -> Option<Arc<BrowserApp>> {
        let app = self.browser_apps.get(names)?;
        app.origins.iter().any(|allowed| allowed.allows(origin)).then(|| Arc::clone(app))
    }

    /// Returns an organization's treatment of unknown services.
    pub(super) fn unknown_services(&self, organization_id: &str) -> Option<UnknownServices> {
        self.contents.unknown_services.get(organization_id).copied()
    }

    /// Returns the limits of an app, by its id.
    pub(super) fn limits(&self, app_id: &str) -> AppLimits {
        self.contents.limits.get(app_id).copied().unwrap_or_default()
    }

    /// Returns whether an app exists, by its organization's id and its own.
    pub(super) fn has_app(&self, organization_id: &str, app_id: &str) -> bool {
        self.organizations.get(app_id).is_some_and(|organization| organization == organization_id)
    }

    /// Returns the id of an organization's app.
    pub(super) fn app(&self, organization_id: &str, name: &str) -> Option<String> {
        self.contents.apps.get(organization_id)?.get(name).cloned()
    }
}
