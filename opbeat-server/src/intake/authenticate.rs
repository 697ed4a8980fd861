//! Authenticates requests by their secret token.

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::rejection::Rejection;

/// The app that a token belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenOwner {
    /// The token's SHA-256.
    #[serde(with = "crate::random::hex_array")]
    pub(crate) token_hash: [u8; 32],
    /// The organization's id.
    pub(crate) organization_id: String,
    /// The organization's short name.
    pub(crate) organization: String,
    /// The app's id.
    pub(crate) app_id: String,
    /// The app's short name.
    pub(crate) app: String,
}

/// The error when tokens cannot be looked up at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryUnavailable;

/// Finds the app that a token belongs to.
pub(crate) trait TokenDirectory: Send + Sync + 'static {
    /// Looks a token up by its SHA-256.
    fn find<'a>(&'a self, hash: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<TokenOwner>, DirectoryUnavailable>>;

    /// Returns whether an app exists, by its organization's id and its own. A new one may be missing for a few seconds.
    fn has_app(&self, organization_id: &str, app_id: &str) -> bool;
}

/// Returns a token's SHA-256. The server keeps only this hash.
#[must_use]
pub(crate) fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Finds the app that a request may post to.
///
/// A request without a valid token concerns the app whose ids it names, so that the app's page can say why nothing
/// arrives. Names are not enough: they can be guessed.
pub(super) async fn authenticate(
    tokens: &dyn TokenDirectory,
    headers: &HeaderMap,
    organization: &str,
    app: &str,
) -> Result<TokenOwner, Rejection> {
    let owner = token_owner(tokens, headers).await.map_err(|rejection| {
        let is_named = rejection.status == StatusCode::UNAUTHORIZED && tokens.has_app(organization, app);
        Rejection { app_id: if is_named { app.to_owned() } else { String::new() }, ..rejection }
    })?;
    let is_organization = organization == owner.organization_id || organization == owner.organization;
    let is_app = app == owner.app_id || app == owner.app;
    if is_organization && is_app { Ok(owner) } else { Err(token_of_another_app(owner)) }
}

/// Finds the app that a request's token belongs to.
pub(super) async fn token_owner(tokens: &dyn TokenDirectory, headers: &HeaderMap) -> Result<TokenOwner, Rejection> {
    let hash = hash_token(bearer_token(headers)?);
    let found = tokens.find(&hash).await.map_err(|DirectoryUnavailable| directory_unavailable())?;
    // The directory may compare hashes in variable time. This comparison, in constant time, decides.
    found.filter(|owner| bool::from(owner.token_hash.ct_eq(&hash))).ok_or_else(unknown_token)
}

fn bearer_token(headers: &HeaderMap) -> Result<&str, Rejection> {
    let header = headers.get(AUTHORIZATION).ok_or_else(missing_token)?;
    let (scheme, token) = header.to_str().ok().and_then(|header| header.split_once(' ')).ok_or_else(missing_token)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing_token()) }
}

fn missing_token() -> Rejection {
    Rejection::new(
        StatusCode::UNAUTHORIZED,
        "The request has no token. Send the header `Authorization: Bearer <secret token>`; \
         `opbeat app create ORG/APP` prints one.",
    )
}

fn unknown_token() -> Rejection {
    Rejection::new(
        StatusCode::UNAUTHORIZED,
        "This server does not know the secret token. `opbeat app create ORG/APP` prints a new one for the same app.",
    )
}

fn token_of_another_app(owner: TokenOwner) -> Rejection {
    let rejection = Rejection::new(
        StatusCode::FORBIDDEN,
        "The secret token belongs to a different app than the one in the URL. \
         Check the organization id and the app id against what `opbeat app create ORG/APP` printed.",
    );
    Rejection { app_id: owner.app_id, ..rejection }
}

/// Returns the rejection when neither tokens nor origins can be looked up.
pub(super) fn directory_unavailable() -> Rejection {
    Rejection::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The token or the origin cannot be checked at the moment, because the database does not answer. \
         Send the request again later.",
    )
}
