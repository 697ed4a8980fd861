//! New organizations, apps and tokens.

use jiff::Timestamp;

use crate::intake::hash_token;
use crate::names::{NameError, check_app_name, check_name};
use crate::people::{People, Refused};
use crate::random::random_hex;
use crate::repositories::checked_url;
use crate::store::{Access, Cause, NewApp, NewRepository, Store, StoreError};

/// The longest name of a token, in characters.
const MAX_TOKEN_NAME: usize = 100;

/// The settings that an agent needs to report.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppCredentials {
    /// The server's address.
    pub server_url: String,
    /// The organization's id.
    pub organization_id: String,
    /// The app's id.
    pub app_id: String,
    /// The secret token. It cannot be shown again, since the server stores its hash only.
    pub secret_token: String,
}

/// The secret token is omitted, so that logs do not contain it.
impl std::fmt::Debug for AppCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppCredentials").field("app_id", &self.app_id).finish_non_exhaustive()
    }
}

/// An app or a token cannot be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A name is invalid.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The organization does not exist.
    #[error("there is no organization {0:?}; `opbeat app create {0}/APP` creates it with its first app")]
    NoOrganization(String),
    /// The name of a token is too long.
    #[error("{0:?} is no name for a token; use at most 100 characters without control characters")]
    TokenName(String),
    /// The app does not exist.
    #[error("there is no app {0:?}; `opbeat app create {0}` creates it")]
    NoApp(String),
    /// The address of a repository or of a person cannot be used.
    #[error("{0}")]
    Address(String),
    /// The requested id or token is in use.
    #[error("the given id or token is already in use for another organization or app")]
    Taken,
    /// The database failed.
    #[error("cannot store the new app or token")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for RegisterError {
    fn from(error: StoreError) -> Self {
        Self::Database(error.into())
    }
}

/// Creates an app with its organization, unless they exist, and adds a secret token: the given one, or a new one.
pub(crate) async fn create_app(
    store: &Store,
    new: &NewApp,
    secret_token: Option<String>,
    server_url: &str,
) -> Result<AppCredentials, RegisterError> {
    check_name(&new.organization)?;
    check_app_name(&new.app)?;
    [&new.organization_id, &new.app_id].into_iter().flatten().try_for_each(|id| check_name(id))?;
    let secret_token = secret_token.unwrap_or_else(random_hex::<32>);
    let app = store
        .create_app(new, &hash_token(&secret_token), now())
        .await
        .map_err(|error| if error.cause() == Cause::Data { RegisterError::Taken } else { error.into() })?;
    Ok(AppCredentials {
        server_url: server_url.to_owned(),
        organization_id: app.organization_id,
        app_id: app.app_id,
        secret_token,
    })
}

/// Creates a token of the API and the pages for an organization, and returns it. The server stores its hash only.
pub(crate) async fn create_token(
    store: &Store,
    organization: &str,
    (access, name): (Access, &str),
) -> Result<String, RegisterError> {
    if name.chars().count() > MAX_TOKEN_NAME || name.chars().any(char::is_control) {
        return Err(RegisterError::TokenName(name.to_owned()));
    }
    let token = random_hex::<32>();
    let created = store.create_token(organization, &hash_token(&token), (access, name), now()).await;
    match created? {
        true => Ok(token),
        false => Err(RegisterError::NoOrganization(organization.to_owned())),
    }
}

/// Creates a person as a member of an organization, or makes a known person a member, who keeps a role. Returns the
/// password of a new one.
pub(crate) async fn create_member(
    people: &People,
    organization: &str,
    (name, email): (&str, &str),
) -> Result<Option<String>, RegisterError> {
    let created = people.create(organization, (name, email), (None, false)).await;
    created.map_err(|refused| match refused {
        Refused::Database(error) => error.into(),
        Refused::Missing(_) => RegisterError::NoOrganization(organization.to_owned()),
        refused => RegisterError::Address(refused.to_string()),
    })
}

/// Connects a Git repository with an app. The worker fetches it.
pub(crate) async fn connect_repository(
    store: &Store,
    (organization, app): (&str, &str),
    url: &str,
) -> Result<(), RegisterError> {
    let url = checked_url(url).map_err(|error| RegisterError::Address(error.to_string()))?;
    let repository = NewRepository { url, ..NewRepository::default() };
    let connected = store.connect_repository((organization, app), &repository, now()).await?;
    connected.map(drop).ok_or_else(|| RegisterError::NoApp(format!("{organization}/{app}")))
}

/// Returns the current time in microseconds since 1970.
fn now() -> i64 {
    Timestamp::now().as_microsecond()
}
