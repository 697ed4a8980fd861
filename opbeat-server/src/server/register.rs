//! New organizations, apps and tokens.

use std::time::SystemTime;

use opbeat_protocol::Timestamp;

use crate::intake::hash_token;
use crate::store::{NewApp, Store, StoreError, random_hex};

/// What an agent needs to deliver.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppCredentials {
    /// The server's address.
    pub server_url: String,
    /// The organization's id.
    pub organization_id: String,
    /// The app's id.
    pub app_id: String,
    /// The secret token, which is shown once: only its hash is kept.
    pub secret_token: String,
}

/// The token stays out of logs.
impl std::fmt::Debug for AppCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppCredentials").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// A name that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be a name: use 1 to 64 lower-case letters, digits and dashes, as in `acme/shop`")]
pub struct NameError(pub String);

/// Something could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// There is no such organization.
    #[error("there is no organization {0:?}; `opbeat app create {0}/APP` creates it with its first app")]
    NoOrganization(String),
    /// An id or a token that was asked for belongs to something else.
    #[error("the id or the token that you gave is in use already, for another organization or app")]
    Taken,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

/// Creates what is missing of an organization and an app, and adds a secret token, a new one unless one is given.
///
/// # Errors
///
/// Returns an error if a name cannot be one, an id is taken, or the database fails.
pub async fn create_app(
    store: &Store,
    new: &NewApp,
    secret_token: Option<String>,
    server_url: &str,
) -> Result<AppCredentials, RegisterError> {
    check_name(&new.organization)?;
    check_name(&new.app)?;
    [&new.organization_id, &new.app_id].into_iter().flatten().try_for_each(|id| check_name(id))?;
    let secret_token = secret_token.unwrap_or_else(random_hex::<20>);
    let app = store
        .create_app(new, &hash_token(&secret_token), now())
        .await
        .map_err(|error| if error.is_permanent() { RegisterError::Taken } else { RegisterError::Store(error) })?;
    Ok(AppCredentials {
        server_url: server_url.to_owned(),
        organization_id: app.organization_id,
        app_id: app.app_id,
        secret_token,
    })
}

/// Creates a read token for an organization, and returns it: only its hash is kept.
///
/// # Errors
///
/// Returns an error if there is no such organization, or the database fails.
pub async fn create_read_token(store: &Store, organization: &str) -> Result<String, RegisterError> {
    let token = random_hex::<20>();
    let created = store.create_read_token(organization, &hash_token(&token), now()).await;
    match created.map_err(RegisterError::Store)? {
        true => Ok(token),
        false => Err(RegisterError::NoOrganization(organization.to_owned())),
    }
}

/// Names are parts of URLs, and their output is read by shells.
fn check_name(name: &str) -> Result<(), NameError> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_name = (1..=64).contains(&name.len()) && name.chars().all(is_allowed) && !RESERVED.contains(&name);
    if is_name { Ok(()) } else { Err(NameError(name.to_owned())) }
}

/// First parts of the server's own URLs.
const RESERVED: [&str; 6] = ["api", "assets", "healthz", "sign-in", "sign-out", "v1"];

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).micros()
}
