//! The apps of services: found in memory, and created in the store if the organization allows it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use opbeat_protocol::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::intake::{DirectoryUnavailable, TokenOwner};
use crate::otlp::{FindService, ServiceDirectory};
use crate::store::{Store, StoreError, UnknownServices};

/// The time after which an organization's setting is read again.
const SETTING_AGE: Duration = Duration::from_secs(2);

/// The largest number of apps of an organization to which services add more.
const MAX_APPS: i64 = 200;

/// The maximum length of an app's name.
const MAX_NAME: usize = 64;

/// The settings and the apps that were found, and the store that they are read from.
#[derive(Clone, Debug)]
pub(crate) struct StoreServices {
    store: Store,
    /// The ids of apps by organization and name.
    apps: Arc<RwLock<HashMap<(String, String), String>>>,
    /// The settings by organization, each with the time at which it was read.
    settings: Arc<Mutex<HashMap<String, (Instant, UnknownServices)>>>,
}

impl StoreServices {
    /// Makes an empty directory.
    pub(crate) fn new(store: Store) -> Self {
        Self { store, apps: Arc::default(), settings: Arc::default() }
    }

    async fn find(&self, owner: &TokenOwner, service: &str) -> Result<FindService, DirectoryUnavailable> {
        match self.setting(&owner.organization_id).await? {
            UnknownServices::Refuse => return Ok(FindService::Refused),
            UnknownServices::Single => return Ok(FindService::App(owner.app_id.clone())),
            UnknownServices::Create => {}
        }
        let name = app_name(service);
        if name.is_empty() {
            return Ok(FindService::InvalidName);
        }
        let key = (owner.organization_id.clone(), name);
        let known = self.apps.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(app_id) = known {
            return Ok(FindService::App(app_id));
        }
        let now = Timestamp::from(SystemTime::now()).micros();
        let found = self.store.find_or_create_app(&key.0, &key.1, MAX_APPS, now).await;
        let Some(app_id) = found.map_err(unavailable)? else { return Ok(FindService::TooManyApps) };
        self.apps.write().unwrap_or_else(PoisonError::into_inner).insert(key, app_id.clone());
        Ok(FindService::App(app_id))
    }

    /// Returns an organization's setting. While the database is not available, the last known one applies.
    async fn setting(&self, organization_id: &str) -> Result<UnknownServices, DirectoryUnavailable> {
        // Requests that arrive together share one read.
        let mut settings = self.settings.lock().await;
        let known = settings.get(organization_id).copied();
        if let Some((read_at, setting)) = known
            && read_at.elapsed() < SETTING_AGE
        {
            return Ok(setting);
        }
        match (self.store.unknown_services(organization_id).await, known) {
            (Ok(setting), _) => {
                settings.insert(organization_id.to_owned(), (Instant::now(), setting));
                Ok(setting)
            }
            (Err(_), Some((_, setting))) => Ok(setting),
            (Err(error), None) => Err(unavailable(error)),
        }
    }
}

impl ServiceDirectory for StoreServices {
    fn find<'a>(
        &'a self,
        owner: &'a TokenOwner,
        service: &'a str,
    ) -> BoxFuture<'a, Result<FindService, DirectoryUnavailable>> {
        Box::pin(self.find(owner, service))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn unavailable(error: StoreError) -> DirectoryUnavailable {
    let error: &dyn std::error::Error = &error;
    tracing::warn!(error, "cannot look up the app of a service; known services still work");
    DirectoryUnavailable
}

/// Returns a service's name as the name of an app: lower-case letters, digits and dashes.
fn app_name(service: &str) -> String {
    let mut name = String::new();
    for c in service.chars() {
        if name.len() >= MAX_NAME {
            break;
        } else if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services_become_names_of_apps() {
        let cases = [
            ("checkout", "checkout"),
            ("Checkout Service", "checkout-service"),
            ("acme.shop/api_v2", "acme-shop-api-v2"),
            ("../..", ""),
            ("Bücher!", "b-cher"),
        ];
        for (service, app) in cases {
            assert_eq!(app_name(service), app, "{service}");
        }
        assert_eq!(app_name(&"a".repeat(100)).len(), 64);
    }
}
