//! The URL at which browsers and agents reach this server through a proxy.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;

/// The first segments of the server's own paths. No organization and no base path can start with one.
pub(crate) const OWN_PATHS: [&str; 12] = [
    "api",
    "assets",
    "first-run",
    "healthz",
    "invitations",
    "me",
    "metrics",
    "readyz",
    "sign-in",
    "sign-out",
    "unsubscribe",
    "v1",
];

/// The longest base path, in bytes.
const MAX_BASE: usize = 200;

/// The URL at which browsers and agents reach this server, such as `https://monitor.example/opbeat/`.
///
/// # Examples
///
/// ```
/// let url: opbeat_server::PublicUrl = "https://monitor.example/opbeat/".parse().unwrap();
/// assert_eq!(url.to_string(), "https://monitor.example/opbeat");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    pub(super) is_https: bool,
    /// The host, with its port unless it is the scheme's own.
    pub(super) authority: String,
    /// The base path: empty, or as in `/opbeat`, without a slash at its end.
    pub(super) base: String,
}

/// An address that cannot be the public URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url:?} is not a public URL: {reason}; write it as in `https://monitor.example/opbeat/`")]
pub struct PublicUrlError {
    url: String,
    reason: String,
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(url: &str) -> Result<Self, PublicUrlError> {
        let refused = |reason: &str| PublicUrlError { url: url.to_owned(), reason: reason.to_owned() };
        let parsed: Uri = url.parse().map_err(|error| refused(&format!("{error}")))?;
        let is_https = match parsed.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(refused("it starts with neither https:// nor http://")),
        };
        let authority = parsed.authority().map(|authority| authority.as_str().to_ascii_lowercase());
        let authority =
            authority.filter(|authority| is_authority(authority)).ok_or_else(|| refused("it has no host"))?;
        if parsed.query().is_some() {
            return Err(refused("it has a query string"));
        }
        let base = base(parsed.path()).ok_or_else(|| {
            refused("its path contains characters other than letters, digits, dashes, dots and underscores")
        })?;
        let first = base.split('/').nth(1).unwrap_or_default();
        if OWN_PATHS.contains(&first) {
            return Err(refused(&format!("its path starts with `/{first}`, as the server's own paths do")));
        }
        let default_port = if is_https { ":443" } else { ":80" };
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority).to_owned();
        Ok(Self { is_https, authority, base })
    }
}

/// The URL, without a slash at its end.
impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.base)
    }
}

/// Returns whether a text is a host with an optional port, and nothing that could mean more in a URL.
pub(super) fn is_authority(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    (1..=300).contains(&text.len()) && text.chars().all(is_part)
}

/// Returns a base path without a slash at its end, or `None` if it could lead to another server or needs escaping.
pub(super) fn base(path: &str) -> Option<String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Some(String::new());
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.chars().all(is_plain);
    let is_base = path.len() <= MAX_BASE && path.strip_prefix('/')?.split('/').all(is_segment);
    is_base.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::PublicUrl;

    #[test]
    fn a_url_has_a_scheme_a_host_and_a_plain_path() {
        for (url, shown) in [
            ("https://monitor.example/opbeat/", "https://monitor.example/opbeat"),
            ("https://Monitor.example:443", "https://monitor.example"),
            ("http://[::1]:8200/a/b-c", "http://[::1]:8200/a/b-c"),
            ("http://10.0.0.7:80/", "http://10.0.0.7"),
        ] {
            assert_eq!(url.parse::<PublicUrl>().unwrap().to_string(), shown);
        }
        for url in [
            "monitor.example",
            "/opbeat/",
            "ftp://monitor.example/",
            "https://user@monitor.example/",
            "https://monitor.example/?a=b",
            "https://monitor.example//evil.example",
            "https://monitor.example/a/../b",
            "https://monitor.example/a%2fb",
            "https://monitor.example/api/",
            "https://monitor.example/sign-in",
        ] {
            assert!(url.parse::<PublicUrl>().is_err(), "{url}");
        }
    }
}
