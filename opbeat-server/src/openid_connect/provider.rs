//! The provider: the address of its page, and the identity that its answer proves.

use std::sync::Arc;

use axum::http::Uri;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, PkceCodeChallenge, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
};
use tokio::sync::Semaphore;

use super::client::{Client, Unanswered, is_allowed};
use super::config::OpenIdConnectConfig;
use super::discovery::Discovery;
use super::failure::{Cause, Failure};
use super::handshake::Handshake;
use super::used::UsedStates;
use crate::identity::{Admission, Identity, MAX_SUBJECT};
use crate::names;
use crate::role::Role;

/// The largest number of answers that are read at the same time: each one asks the provider.
const MAX_EXCHANGES: usize = 16;

/// The longest code of a provider, in bytes.
const MAX_CODE: usize = 8_192;

/// The algorithms of id tokens that are accepted: those with a public key. With the others, and without a signature,
/// everybody who knows the secret of this server could write an id token.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// A provider. Clones share its addresses and keys.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    issuer: String,
    client_id: String,
    client_secret: Secret,
    admission: Admission,
    client: Client,
    discovery: Discovery,
    used: UsedStates,
    exchanges: Semaphore,
}

/// The secret of this server at the provider.
struct Secret(String);

/// The secret is omitted, so that logs do not contain it.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// The answer of a provider, in the address to which it leads the browser back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answer<'a> {
    /// The code for the token.
    pub(crate) code: Option<&'a str>,
    /// The state of the handshake.
    pub(crate) state: Option<&'a str>,
    /// The provider, if it names itself (RFC 9207).
    pub(crate) issuer: Option<&'a str>,
    /// The reason why there is no code.
    pub(crate) error: Option<&'a str>,
}

impl Provider {
    /// The time in which a person signs in at the provider.
    pub(crate) const MAX_AGE: std::time::Duration = super::handshake::MAX_AGE;

    /// Makes a handle without asking the provider. Returns `None` if a part of its configuration is missing.
    pub(crate) fn new(config: &OpenIdConnectConfig) -> Option<Self> {
        let new_people = config.organization.clone().map(|organization| (organization, Role::of(&config.role)));
        let (provider, domains) = (config.name.clone(), config.domains.clone());
        let inner = Inner {
            issuer: config.issuer.clone()?,
            client_id: config.client_id.clone()?,
            client_secret: Secret(config.client_secret.clone()?),
            admission: Admission { provider, domains, new_people },
            client: Client::default(),
            discovery: Discovery::default(),
            used: UsedStates::default(),
            exchanges: Semaphore::new(MAX_EXCHANGES),
        };
        Some(Self { inner: Arc::new(inner) })
    }

    /// Returns the name of the provider for people.
    pub(crate) fn name(&self) -> &str {
        &self.inner.admission.provider
    }

    /// Returns the rules by which its people come in.
    pub(crate) fn admission(&self) -> &Admission {
        &self.inner.admission
    }

    /// Starts a sign-in. Returns the address of the provider's page, and the value of the browser's cookie. The provider
    /// leads the browser back to `callback`, and the person continues at `next`.
    ///
    /// # Errors
    ///
    /// Returns a [`Failure`] if the provider is away.
    pub(crate) async fn start(&self, callback: &str, next: &str) -> Result<(String, String), Failure> {
        let inner = &*self.inner;
        let metadata = inner.discovery.get(&inner.client, &inner.issuer).await?;
        let client = inner.protocol(&metadata, callback)?;
        let handshake = Handshake::start(next);
        let (state, nonce) = (handshake.clone(), handshake.clone());
        let (url, ..) = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state.state(), move || nonce.nonce())
            .add_scopes(["email", "profile"].map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&handshake.verifier()))
            .url();
        if !url.as_str().parse().is_ok_and(|uri: Uri| is_allowed(&uri)) {
            return Err(Failure::new(Cause::Away, "the address of the provider's page does not start with https://"));
        }
        Ok((url.into(), handshake.cookie()))
    }

    /// Finishes a sign-in. Returns the identity and the path to continue at.
    ///
    /// # Errors
    ///
    /// Returns a [`Failure`] if the answer is not for the browser with this cookie, or proves no identity.
    pub(crate) async fn finish(
        &self,
        callback: &str,
        cookie: Option<&str>,
        answer: Answer<'_>,
    ) -> Result<(Identity, String), Failure> {
        let inner = &*self.inner;
        let handshake = inner.handshake(cookie, answer.state)?;
        if answer.issuer.is_some_and(|issuer| issuer != inner.issuer) {
            return Err(Failure::new(Cause::Token, "the answer is of another provider"));
        }
        if let Some(error) = answer.error {
            return Err(Failure::new(Cause::Denied, format!("the provider answered {error}")));
        }
        let code = answer.code.filter(|code| (1..=MAX_CODE).contains(&code.len()));
        let code = code.ok_or_else(|| Failure::new(Cause::Rejected, "the answer has no code, or a long one"))?;
        let _permit = inner.exchanges.acquire().await;
        let metadata = inner.discovery.get(&inner.client, &inner.issuer).await?;
        let token = inner.exchange(&metadata, callback, code, &handshake).await?;
        let token = token.id_token().ok_or_else(|| Failure::new(Cause::Token, "the answer has no id token"))?;
        let claims = match inner.verify(&metadata, callback, token, &handshake) {
            // The provider has changed its keys.
            Err(Unverified::NoKey) => {
                let metadata = inner.discovery.refresh(&inner.client, &inner.issuer).await?;
                inner.verify(&metadata, callback, token, &handshake)
            }
            verified => verified,
        };
        Ok((inner.identity(&claims.map_err(Failure::from)?)?, handshake.next))
    }
}

/// An id token that is not accepted.
enum Unverified {
    /// It is signed with an unknown key.
    NoKey,
    /// For another reason.
    Other(Failure),
}

impl From<Unverified> for Failure {
    fn from(unverified: Unverified) -> Self {
        match unverified {
            Unverified::NoKey => Self::new(Cause::Token, "the id token is signed with an unknown key"),
            Unverified::Other(failure) => failure,
        }
    }
}

/// The client of the protocol, with the addresses of a provider.
type Protocol = CoreClient<
    openidconnect::EndpointSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointNotSet,
    openidconnect::EndpointMaybeSet,
    openidconnect::EndpointMaybeSet,
>;

impl Inner {
    /// Returns the handshake of a browser, if the state of an answer belongs to it and was not used.
    fn handshake(&self, cookie: Option<&str>, state: Option<&str>) -> Result<Handshake, Failure> {
        let failure = |detail: &str| Failure::new(Cause::Handshake, detail);
        let cookie = cookie.ok_or_else(|| failure("the browser has no cookie of a sign-in"))?;
        let handshake = Handshake::read(cookie).ok_or_else(|| failure("the cookie of the sign-in is too old"))?;
        let state = state.filter(|state| handshake.is_state(state));
        let state = state.ok_or_else(|| failure("the answer belongs to another browser or sign-in"))?;
        if self.used.insert(state) { Ok(handshake) } else { Err(failure("the answer was used already")) }
    }

    fn protocol(&self, metadata: &CoreProviderMetadata, callback: &str) -> Result<Protocol, Failure> {
        let redirect = RedirectUrl::new(callback.to_owned());
        let redirect = redirect.map_err(|_| {
            Failure::new(Cause::Away, "the URL of this server is unknown; set public_url in its configuration")
        })?;
        let (id, secret) = (ClientId::new(self.client_id.clone()), ClientSecret::new(self.client_secret.0.clone()));
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, Some(secret)).set_redirect_uri(redirect);
        let methods = metadata.token_endpoint_auth_methods_supported();
        let has = |method| methods.is_some_and(|methods| methods.contains(&method));
        let in_body = has(CoreClientAuthMethod::ClientSecretPost) && !has(CoreClientAuthMethod::ClientSecretBasic);
        Ok(client.set_auth_type(if in_body { AuthType::RequestBody } else { AuthType::BasicAuth }))
    }

    /// Exchanges the code for a token.
    async fn exchange(
        &self,
        metadata: &CoreProviderMetadata,
        callback: &str,
        code: &str,
        handshake: &Handshake,
    ) -> Result<CoreTokenResponse, Failure> {
        let client = self.protocol(metadata, callback)?;
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|_| Failure::new(Cause::Away, "the provider has no address for tokens"))?;
        let token = request.set_pkce_verifier(handshake.verifier()).request_async(&self.client).await;
        token.map_err(|error| match error {
            RequestTokenError::ServerResponse(error) => {
                Failure::new(Cause::Rejected, format!("the provider did not accept the code: {error}"))
            }
            RequestTokenError::Request(Unanswered(reason)) => Failure::new(Cause::Away, reason),
            // The reason of the parser could contain a part of a token.
            RequestTokenError::Parse(..) => Failure::new(Cause::Away, "the answer with the token is invalid"),
            RequestTokenError::Other(reason) => Failure::new(Cause::Away, reason),
        })
    }

    /// Checks the signature, the issuer, the audience, the time and the nonce of an id token.
    fn verify(
        &self,
        metadata: &CoreProviderMetadata,
        callback: &str,
        token: &CoreIdToken,
        handshake: &Handshake,
    ) -> Result<CoreIdTokenClaims, Unverified> {
        let client = self.protocol(metadata, callback).map_err(Unverified::Other)?;
        let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS);
        let claims = token.claims(&verifier, &handshake.nonce()).cloned();
        claims.map_err(|error| match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Unverified::NoKey
            }
            ClaimsVerificationError::Expired(reason) => Unverified::Other(Failure::new(Cause::Clock, reason)),
            ClaimsVerificationError::SignatureVerification(error) => {
                Unverified::Other(Failure::new(Cause::Token, format!("the signature is invalid: {error}")))
            }
            error => Unverified::Other(Failure::new(Cause::Token, error.to_string())),
        })
    }

    fn identity(&self, claims: &CoreIdTokenClaims) -> Result<Identity, Failure> {
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.chars().count() > MAX_SUBJECT {
            return Err(Failure::new(Cause::Token, "the id token names no account, or has a long text for it"));
        }
        let name = claims.name().and_then(|names| names.get(None)).and_then(|name| names::name_of_person(name));
        Ok(Identity {
            issuer: self.issuer.clone(),
            subject: subject.to_owned(),
            email: claims.email().and_then(|email| names::email(email)),
            is_verified: claims.email_verified() == Some(true),
            name,
        })
    }
}
