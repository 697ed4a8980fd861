//! The values that the directory consists of, and their source.

use std::collections::BTreeMap;
use std::error::Error;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::intake::{AppLimits, BrowserApp, TokenOwner};
use crate::store::{Store, UnknownServices};

/// All values of the directory. Their order does not depend on the source, so that equal contents are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    /// The hashes of the secret tokens with their apps, in the order of the hashes.
    pub(crate) tokens: Vec<TokenOwner>,
    /// The apps that allow an origin, in the order of their ids.
    pub(crate) browser_apps: Vec<BrowserApp>,
    /// The treatment of unknown services, by the id of the organization.
    pub(crate) unknown_services: BTreeMap<String, UnknownServices>,
    /// The ids of all apps, by the id of the organization and the name of the app.
    pub(crate) apps: BTreeMap<String, BTreeMap<String, String>>,
    /// The limits of the apps that have limits of their own, by the id of the app. Snapshots of earlier versions have none.
    #[serde(default)]
    pub(crate) limits: BTreeMap<String, AppLimits>,
}

/// Has the values of the directory.
pub(crate) trait Source: Send + Sync + 'static {
    /// Reads all values.
    fn read(&self) -> BoxFuture<'_, Result<Contents, Box<dyn Error + Send + Sync>>>;
}

impl Source for Store {
    fn read(&self) -> BoxFuture<'_, Result<Contents, Box<dyn Error + Send + Sync>>> {
        Box::pin(async {
            let mut tokens = self.secret_tokens().await?;
            tokens.sort_unstable_by_key(|owner| owner.token_hash);
            let mut browser_apps = self.browser_apps().await?;
            browser_apps.sort_unstable_by(|a, b| a.app_id.cmp(&b.app_id));
            for app in &mut browser_apps {
                app.origins.sort_by_cached_key(ToString::to_string);
            }
            let unknown_services = self.settings_of_services().await?.into_iter().collect();
            let mut apps: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
            for (organization_id, name, app_id) in self.names_of_apps().await? {
                apps.entry(organization_id).or_default().insert(name, app_id);
            }
            let limits = self.limits_of_apps().await?;
            Ok(Contents { tokens, browser_apps, unknown_services, apps, limits })
        })
    }
}
