//! The configuration of sign-ins as plain data.

/// The ways by which people sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignInConfig {
    /// Whether people may sign in with a password.
    pub passwords: bool,
    /// The provider of OpenID Connect. Without an issuer, there is none.
    pub openid_connect: OpenIdConnectConfig,
}

/// The provider of OpenID Connect, and the people who may sign in by it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenIdConnectConfig {
    /// The URL of the provider, exactly as its id tokens name it.
    pub issuer: Option<String>,
    /// The id of this server at the provider.
    pub client_id: Option<String>,
    /// The secret of this server at the provider.
    pub client_secret: Option<String>,
    /// The name of the provider on the button.
    pub name: String,
    /// The domains that the e-mail addresses of people must have, or none for all.
    pub domains: Vec<String>,
    /// The short name of the organization that new people join. Without it, people must exist or be invited.
    pub organization: Option<String>,
    /// The role of new people: `reader`, `member` or `admin`.
    pub role: String,
}

impl Default for SignInConfig {
    fn default() -> Self {
        Self { passwords: true, openid_connect: OpenIdConnectConfig::default() }
    }
}

impl Default for OpenIdConnectConfig {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: None,
            client_secret: None,
            name: "OpenID Connect".to_owned(),
            domains: Vec::new(),
            organization: None,
            role: "member".to_owned(),
        }
    }
}

/// The secret is omitted, so that logs do not contain it.
impl std::fmt::Debug for OpenIdConnectConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenIdConnectConfig")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
