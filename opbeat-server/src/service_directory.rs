//! The apps of services: found in memory, and created in the store if the organization allows it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use opbeat_protocol::Timestamp;
use tokio::time::Instant;

use crate::directory::StoreDirectory;
use crate::intake::{DirectoryUnavailable, TokenOwner};
use crate::names::ORGANIZATION_PATHS;
use crate::otlp::{FindService, ServiceDirectory};
use crate::store::{AppLookup, Store, StoreError, UnknownServices};

/// The longest time that the creation of an app may take.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The largest number of apps of an organization to which services add more.
const MAX_APPS: i64 = 200;

/// The maximum length of an app's name.
const MAX_NAME: usize = 64;

/// The time for which a service that gets no app is not looked up again.
const REFUSAL_AGE: Duration = Duration::from_secs(5);

/// The largest number of services without an app that are remembered.
const MAX_REFUSALS: usize = 10_000;

/// The known settings and apps, and the store in which apps are created.
#[derive(Clone, Debug)]
pub(crate) struct StoreServices {
    store: Store,
    directory: StoreDirectory,
    /// The ids of apps that were looked up or created here, by organization and name. Others are in the directory.
    apps: Arc<RwLock<HashMap<ServiceKey, String>>>,
    /// The services that got no app because there are too many, each with the time until which that counts.
    refusals: Arc<RwLock<HashMap<ServiceKey, Instant>>>,
}

/// An organization, and the name of a service's app.
type ServiceKey = (String, String);

impl StoreServices {
    /// Makes a directory of services.
    pub(crate) fn new(store: Store, directory: StoreDirectory) -> Self {
        Self { store, directory, apps: Arc::default(), refusals: Arc::default() }
    }

    async fn find(&self, owner: &TokenOwner, service: &str) -> Result<FindService, DirectoryUnavailable> {
        match self.directory.unknown_services(&owner.organization_id).await? {
            UnknownServices::Refuse => return Ok(FindService::Refused),
            UnknownServices::Single => return Ok(FindService::App(owner.app_id.clone())),
            UnknownServices::Create => {}
        }
        let name = app_name(service);
        if name.is_empty() {
            return Ok(FindService::InvalidName);
        }
        let key = (owner.organization_id.clone(), name);
        let created = || self.apps.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(app_id) = self.directory.app(&key.0, &key.1).or_else(created) {
            return Ok(FindService::App(app_id));
        }
        let refusal = self.refusals.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if refusal.is_some_and(|until| Instant::now() < until) {
            return Ok(FindService::TooManyApps);
        }
        let Some(app_id) = self.create(&key).await? else {
            self.remember_refusal(key);
            return Ok(FindService::TooManyApps);
        };
        self.apps.write().unwrap_or_else(PoisonError::into_inner).insert(key, app_id.clone());
        Ok(FindService::App(app_id))
    }

    /// Returns the id of an app of the store, which is created if it is missing, or `None` if there are too many apps.
    async fn create(&self, (organization_id, name): &ServiceKey) -> Result<Option<String>, DirectoryUnavailable> {
        if self.directory.is_unavailable() {
            return Err(DirectoryUnavailable);
        }
        let created = async {
            match self.store.look_up_app(organization_id, name, MAX_APPS).await? {
                AppLookup::Found(app_id) => Ok(Some(app_id)),
                AppLookup::TooMany => Ok(None),
                AppLookup::Missing => {
                    let now = Timestamp::from(SystemTime::now()).micros();
                    self.store.find_or_create_app(organization_id, name, MAX_APPS, now).await
                }
            }
        };
        match tokio::time::timeout(MAX_WAIT, created).await {
            Ok(Ok(app_id)) => Ok(app_id),
            Ok(Err(error)) => Err(unavailable(&error)),
            Err(_) => {
                tracing::warn!("no app was created for a service within 1 s; known services still work");
                Err(DirectoryUnavailable)
            }
        }
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

fn unavailable(error: &StoreError) -> DirectoryUnavailable {
    let error: &dyn std::error::Error = error;
    tracing::warn!(error, "cannot look up the app of a service; known services still work");
    DirectoryUnavailable
}

/// Returns a service's name as the name of an app: lower-case letters, digits and dashes, and not the name of a page.
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
    if ORGANIZATION_PATHS.contains(&&*name) {
        name.push_str("-service");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::until_saved;
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
        let snapshot = folder.path().join("directory.json");
        let open =
            async || StoreServices::new(store.clone(), StoreDirectory::open(store.clone(), snapshot.clone()).await);
        let services = open().await;
        assert_eq!(services.find(&owner, "service 0").await.unwrap(), FindService::Refused);
        store.set_unknown_services("acme", UnknownServices::Create).await.unwrap();
        let services = open().await;
        let first = services.find(&owner, "service 0").await.unwrap();
        std::fs::remove_file(&snapshot).unwrap();
        let another = open().await;
        assert_eq!(another.find(&owner, "service 0").await.unwrap(), first, "another process has not created it");
        until_saved(&snapshot).await;
        for service in 1..MAX_APPS - 1 {
            let found = services.find(&owner, &format!("service {service}")).await.unwrap();
            assert!(matches!(found, FindService::App(_)), "{service} {found:?}");
        }
        for _ in 0..2 {
            assert_eq!(services.find(&owner, "one more").await.unwrap(), FindService::TooManyApps);
        }
        assert_eq!(services.refusals.read().unwrap().len(), 1);
        store.close().await;
        assert_eq!(services.find(&owner, "service 0").await.unwrap(), first, "without the database");
        assert!(services.find(&owner, "unknown").await.is_err());
        let restarted = open().await;
        assert_eq!(restarted.find(&owner, "service 0").await.unwrap(), first, "by the snapshot");
        assert!(restarted.find(&owner, "unknown").await.is_err());
        std::fs::remove_file(&snapshot).unwrap();
        assert!(open().await.find(&owner, "service 0").await.is_err());
    }

    #[test]
    fn names_of_services_become_names_of_apps() {
        let cases = [
            ("checkout", "checkout"),
            ("Checkout Service", "checkout-service"),
            ("acme.shop/api_v2", "acme-shop-api-v2"),
            ("../..", ""),
            ("people", "people-service"),
            ("Bücher!", "b-cher"),
        ];
        for (service, app) in cases {
            assert_eq!(app_name(service), app, "{service}");
        }
        assert_eq!(app_name(&"a".repeat(100)).len(), 64);
    }
}
