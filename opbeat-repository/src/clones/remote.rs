//! The repositories that are connected, and those that may be.

use std::fmt;

use url::Url;

/// The user and the token, or password, of a remote repository. They are sent over HTTPS only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user. Many forges accept any name beside a token.
    pub user: String,
    /// The token or password.
    pub secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// A repository that is connected by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    url: String,
    credentials: Option<Credentials>,
}

impl Remote {
    /// Creates a remote: `https://host/path`, `http://host/path`, or a path on this machine.
    ///
    /// A user and a password in the address are used as credentials, and are not shown.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let (url, credentials) = split_credentials(url.trim());
        Self { url, credentials }
    }

    /// Sets the credentials.
    #[must_use]
    pub fn with_credentials(self, credentials: Credentials) -> Self {
        Self { credentials: Some(credentials), ..self }
    }

    pub(super) fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Returns the address, without credentials.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// The addresses that may be contacted or read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Allows hosts with private addresses: this machine, and networks that the Internet does not route.
    pub private_addresses: bool,
    /// Allows paths on this machine.
    pub local_paths: bool,
}

/// Splits `https://user:secret@host` into the address and the credentials.
fn split_credentials(url: &str) -> (String, Option<Credentials>) {
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    // Other addresses are refused, with a message that shows them.
    let Some(mut parsed) = parsed else { return (without_user(url), None) };
    let (user, secret) = (decoded(parsed.username()), parsed.password().map(decoded));
    if user.is_empty() && secret.is_none() {
        return (url.to_owned(), None);
    }
    // These cannot fail for addresses with a host.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    // A token is often given as the user.
    let credentials = match secret {
        Some(secret) => Credentials { user, secret },
        None => Credentials { user: String::from("token"), secret: user },
    };
    (parsed.to_string(), Some(credentials))
}

/// Removes the user and the password from a text such as `ssh://user:secret@host/path` or `user:secret@host:path`.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.find("://").map_or(("", url), |index| url.split_at(index + 3));
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rfind('@') {
        Some(index) => format!("{scheme}{}", &rest[index..]),
        None => url.to_owned(),
    }
}

/// Decodes the escapes of a part of an address: a password with `@` is written with `%40`.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}
