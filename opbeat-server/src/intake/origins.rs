//! Origins of web pages that may send data without a token.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::authenticate::DirectoryUnavailable;

/// The longest origin, in bytes.
const MAX_LENGTH: usize = 300;

/// An origin that is allowed, or a pattern of such origins.
///
/// - `https://shop.example`: one origin, with a port if it is not the default one;
/// - `https://*.shop.example`: all subdomains, at any depth, but not the domain itself;
/// - `null`: pages without an origin of their own, such as local files;
/// - `*`: all of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AllowedOrigin {
    /// All origins.
    Any,
    /// Pages without an origin of their own.
    Null,
    /// One origin.
    One(WebOrigin),
    /// All subdomains of an origin's host.
    Subdomains(WebOrigin),
}

/// The origin of a web page, in the form in which browsers send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebOrigin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

/// A text that is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an origin; write it as in `https://shop.example`, `https://*.shop.example` or `*`, without a path"
)]
pub(crate) struct InvalidOrigin(String);

/// An app that accepts data from browsers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BrowserApp {
    /// The organization's id.
    pub(crate) organization_id: String,
    /// The organization's short name.
    pub(crate) organization: String,
    /// The app's id.
    pub(crate) app_id: String,
    /// The app's short name.
    pub(crate) app: String,
    /// The origins of the web pages that may send data.
    pub(crate) origins: Vec<AllowedOrigin>,
}

/// Finds the apps that accept data from a web page.
pub(crate) trait OriginDirectory: Send + Sync + 'static {
    /// Finds an app by its ids or short names, if it allows the origin.
    fn find_allowed<'a>(
        &'a self,
        organization: &'a str,
        app: &'a str,
        origin: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<BrowserApp>>, DirectoryUnavailable>>;
}

impl AllowedOrigin {
    /// Returns whether it allows an origin, as the header `Origin` has it.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Null => origin == "null",
            Self::One(allowed) => WebOrigin::parse(origin).is_some_and(|origin| origin == *allowed),
            Self::Subdomains(parent) => WebOrigin::parse(origin).is_some_and(|origin| origin.is_below(parent)),
        }
    }
}

impl FromStr for AllowedOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let text = text.trim();
        // An origin has no path, but people copy the slash from the address bar.
        let origin = text.strip_suffix('/').filter(|origin| !origin.ends_with('/')).unwrap_or(text);
        let parsed = match origin.split_once("://*.") {
            Some((scheme, host)) => WebOrigin::parse(&format!("{scheme}://{host}")).map(Self::Subdomains),
            None if origin == "*" => Some(Self::Any),
            None if origin == "null" => Some(Self::Null),
            None => WebOrigin::parse(origin).map(Self::One),
        };
        parsed.ok_or_else(|| InvalidOrigin(text.to_owned()))
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Null => f.write_str("null"),
            Self::One(origin) => origin.write(f, ""),
            Self::Subdomains(parent) => parent.write(f, "*."),
        }
    }
}

impl Serialize for AllowedOrigin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AllowedOrigin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl WebOrigin {
    /// Parses an origin such as `https://shop.example:8443`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://").filter(|_| text.len() <= MAX_LENGTH)?;
        let scheme = scheme.to_ascii_lowercase();
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(is_scheme) {
            return None;
        }
        // Pages of local files have no host.
        if authority.is_empty() {
            return (scheme == "file").then(|| Self { scheme, host: String::new(), port: None });
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (authority, None),
        };
        let host = host.to_ascii_lowercase();
        let port = port.filter(|port| !matches!((&*scheme, port), ("http", 80) | ("https", 443)));
        is_host(&host).then_some(Self { scheme, host, port })
    }

    /// Returns the origin of a URL.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        let authority = url.find("://")? + 3;
        let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |end| authority + end);
        Self::parse(&url[..end])
    }

    fn is_below(&self, parent: &Self) -> bool {
        let name = self.host.strip_suffix(&parent.host).and_then(|name| name.strip_suffix('.'));
        self.scheme == parent.scheme && self.port == parent.port && name.is_some_and(|name| !name.is_empty())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, prefix: &str) -> fmt::Result {
        write!(f, "{}://{prefix}{}", self.scheme, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, "")
    }
}

/// Returns whether the text is a host: a name in ASCII, or an address.
fn is_host(host: &str) -> bool {
    let is_part_of_name = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.starts_with('.') && host.chars().all(is_part_of_name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(allowed: &str, origin: &str) -> bool {
        allowed.parse::<AllowedOrigin>().unwrap().allows(origin)
    }

    #[test]
    fn an_origin_is_allowed_by_itself_and_by_patterns() {
        for (allowed, origin) in [
            ("https://shop.example", "https://shop.example"),
            ("https://Shop.Example:443/", "https://shop.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[::1]", "http://[::1]"),
            ("https://*.shop.example", "https://www.shop.example"),
            ("https://*.shop.example", "https://a.b.shop.example"),
            ("https://*.shop.example:8443", "https://www.shop.example:8443"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("file://", "file://"),
            ("null", "null"),
            ("*", "https://anything.example"),
            ("*", "null"),
        ] {
            assert!(allows(allowed, origin), "{allowed} must allow {origin}");
        }
    }

    #[test]
    fn other_origins_are_not_allowed() {
        for (allowed, origin) in [
            ("https://shop.example", "http://shop.example"),
            ("https://shop.example", "https://shop.example:8443"),
            ("https://shop.example", "https://shop.example.evil.example"),
            ("https://shop.example", "https://www.shop.example"),
            ("https://shop.example", "https://shop.example/"),
            ("https://shop.example", "https://user@shop.example"),
            ("https://shop.example", "null"),
            ("https://*.shop.example", "https://shop.example"),
            ("https://*.shop.example", "https://.shop.example"),
            ("https://*.shop.example", "https://evilshop.example"),
            ("https://*.shop.example", "http://www.shop.example"),
            ("https://*.shop.example", "https://www.shop.example:8443"),
            ("null", "https://shop.example"),
        ] {
            assert!(!allows(allowed, origin), "{allowed} must not allow {origin}");
        }
    }

    #[test]
    fn texts_that_are_no_origins_are_rejected() {
        let long = format!("https://{}", "a".repeat(MAX_LENGTH));
        for text in [
            "",
            "shop.example",
            "https://",
            "https://shop.example/cart",
            "https://*",
            "https://www.*.example",
            "https://a b",
            "https://shop.example:port",
            "https://bücher.example",
            "*.shop.example",
            "https://[::1",
            &long,
        ] {
            assert!(text.parse::<AllowedOrigin>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_allowed_origin_is_written_as_it_is_read() {
        for text in ["https://shop.example", "https://*.shop.example:8443", "http://[::1]:3000", "file://", "null", "*"]
        {
            assert_eq!(text.parse::<AllowedOrigin>().unwrap().to_string(), text);
        }
        assert_eq!(WebOrigin::of_url("https://shop.example/cart?a=b").unwrap().to_string(), "https://shop.example");
        assert_eq!(WebOrigin::of_url("https://shop.example?a=/").unwrap().to_string(), "https://shop.example");
    }
}
