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
use crate::store::{AppLookup, Store, StoreError, UnknownServices};

/// The time after which an organization's setting is read again.
const SETTING_AGE: Duration = Duration::from_secs(2);

/// The time after which a setting that could not be read is read again.
const FAILURE_AGE: Duration = Duration::from_secs(1);

/// The largest number of apps of an organization to which services add more.
const MAX_APPS: i64 = 200;

/// The maximum length of an app's name.
const MAX_NAME: usize = 64;

/// The time for which a service that gets no app is not looked up again.
const REFUSAL_AGE: Duration = Duration::from_secs(5);

/// The largest number of services without an app that are remembered.
const MAX_REFUSALS: usize = 10_000;

/// The settings and the apps that were found, and the store that they are read from.
#[derive(Clone, Debug)]
pub(crate) struct StoreServices {
    store: Store,
    /// The ids of apps by organization and name.
    apps: Arc<RwLock<HashMap<ServiceKey, String>>>,
    /// The services that got no app because there are too many, each with the time until which that counts.
    refusals: Arc<RwLock<HashMap<ServiceKey, Instant>>>,
    /// The settings by organization. Requests of one organization share a read, and wait for no other organization.
    settings: Arc<RwLock<HashMap<String, Arc<Mutex<Setting>>>>>,
}

/// An organization, and the name of a service's app.
type ServiceKey = (String, String);

/// The setting of an organization.
#[derive(Debug, Default)]
struct Setting {
    /// The last known setting.
    known: Option<UnknownServices>,
    /// The time until which it is not read again.
    until: Option<Instant>,
}

impl StoreServices {
    /// Makes an empty directory.
    pub(crate) fn new(store: Store) -> Self {
        Self { store, apps: Arc::default(), refusals: Arc::default(), settings: Arc::default() }
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
        let refusal = self.refusals.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if refusal.is_some_and(|until| Instant::now() < until) {
            return Ok(FindService::TooManyApps);
        }
        let app_id = match self.store.look_up_app(&key.0, &key.1, MAX_APPS).await.map_err(unavailable)? {
            AppLookup::Found(app_id) => Some(app_id),
            AppLookup::TooMany => None,
            AppLookup::Missing => {
                let now = Timestamp::from(SystemTime::now()).micros();
                self.store.find_or_create_app(&key.0, &key.1, MAX_APPS, now).await.map_err(unavailable)?
            }
        };
        let Some(app_id) = app_id else {
            self.remember_refusal(key);
            return Ok(FindService::TooManyApps);
        };
        self.apps.write().unwrap_or_else(PoisonError::into_inner).insert(key, app_id.clone());
        Ok(FindService::App(app_id))
    }

    fn remember_refusal(&self, key: ServiceKey) {
        let now = Instant::now();
        let mut refusals = self.refusals.write().unwrap_or_else(PoisonError::into_inner);
        if refusals.len() >= MAX_REFUSALS {
            refusals.retain(|_, until| now < *until);
        }
        if refusals.len() < MAX_REFUSALS {
            refusals.insert(key, now + REFUSAL_AGE);
        }
    }

    /// Returns an organization's setting. While the database is not available, the last known one applies.
    async fn setting(&self, organization_id: &str) -> Result<UnknownServices, DirectoryUnavailable> {
        let cell = self.settings.read().unwrap_or_else(PoisonError::into_inner).get(organization_id).cloned();
        let cell = cell.unwrap_or_else(|| {
            let mut settings = self.settings.write().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(settings.entry(organization_id.to_owned()).or_default())
        });
        let mut setting = cell.lock().await;
        if setting.until.is_none_or(|until| until <= Instant::now()) {
            let age = match self.store.unknown_services(organization_id).await {
                Ok(read) => {
                    setting.known = Some(read);
                    SETTING_AGE
                }
                Err(error) => {
                    unavailable(error);
                    FAILURE_AGE
                }
            };
            setting.until = Some(Instant::now() + age);
        }
        setting.known.ok_or(DirectoryUnavailable)
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
    use crate::store::NewApp;

    #[tokio::test]
    async fn services_beyond_the_most_apps_get_none_and_known_ones_keep_theirs() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("a.sqlite")).await;
        let (organization, app) = ("acme".to_owned(), "shop".to_owned());
        let new = NewApp { organization: organization.clone(), app: app.clone(), organization_id: None, app_id: None };
        let created = store.create_app(&new, &[0; 32], 0).await.unwrap();
        let owner = TokenOwner {
            token_hash: [0; 32],
            organization_id: created.organization_id,
            organization,
            app_id: created.app_id,
            app,
        };
        let services = StoreServices::new(store.clone());
        assert_eq!(services.find(&owner, "service 0").await.unwrap(), FindService::Refused);
        store.set_unknown_services("acme", UnknownServices::Create).await.unwrap();
        let services = StoreServices::new(store.clone());
        let first = services.find(&owner, "service 0").await.unwrap();
        for service in 1..MAX_APPS - 1 {
            let found = services.find(&owner, &format!("service {service}")).await.unwrap();
            assert!(matches!(found, FindService::App(_)), "{service} {found:?}");
        }
        for _ in 0..2 {
            assert_eq!(services.find(&owner, "one more").await.unwrap(), FindService::TooManyApps);
        }
        assert_eq!(services.refusals.read().unwrap().len(), 1);
        // Another process has found none of them yet.
        assert_eq!(StoreServices::new(store.clone()).find(&owner, "service 0").await.unwrap(), first);
        store.close().await;
        assert_eq!(services.find(&owner, "service 0").await.unwrap(), first, "without the database");
        assert!(services.find(&owner, "unknown").await.is_err());
        assert!(StoreServices::new(store).find(&owner, "service 0").await.is_err());
    }

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
