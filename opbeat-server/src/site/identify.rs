//! Finds the address at which the client of one request reaches this server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::{PathAndQuery, Uri};

use super::forwarded::{self, Forwarded};
use super::networks::Network;
use super::public_url::{PublicUrl, base, is_authority};

/// The connection that a request arrived on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// The address of the other end: a client or a proxy.
    pub(crate) peer: SocketAddr,
    /// Whether this server ended its TLS.
    pub(crate) is_tls: bool,
}

/// The address at which the client of a request reaches this server, and the client's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// Whether the client uses HTTPS.
    pub(crate) is_https: bool,
    /// The host and the port that the client uses, if they are known.
    pub(crate) authority: Option<String>,
    /// The host that the request names. A proxy may have replaced it.
    pub(crate) host: Option<String>,
    /// The path below which the client sees this server: empty, or as in `/opbeat`.
    pub(crate) base: Arc<str>,
    /// The address of the client.
    pub(crate) client: IpAddr,
}

impl Site {
    /// Returns the URL of a path of this server, or the path below the base if the client's host is unknown.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.is_https { "https" } else { "http" };
        match &self.authority {
            Some(authority) => format!("{scheme}://{authority}{}{path}", self.base),
            None => format!("{}{path}", self.base),
        }
    }
}

/// Finds the site of each request.
#[derive(Clone, Debug)]
pub(crate) struct Sites {
    /// The URL that the operator set. It is right for every request.
    pub(crate) public: Option<PublicUrl>,
    /// The proxies whose headers are believed.
    pub(crate) trusted: Vec<Network>,
}

impl Sites {
    /// Returns whether an address belongs to a proxy whose headers are believed.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(address))
    }

    /// Returns the site of a request.
    pub(crate) fn identify(&self, connection: Connection, uri: &Uri, headers: &HeaderMap) -> Site {
        let peer = connection.peer.ip();
        let claims = if self.trusts(peer) { forwarded::read(headers) } else { Forwarded::default() };
        // HTTP/2 names the host in the target of the request.
        let named = headers.get(HOST).and_then(|host| host.to_str().ok());
        let named = named.or_else(|| uri.authority().map(|authority| authority.as_str()));
        let host = named.filter(|host| is_authority(host)).map(str::to_owned);
        let client = self.client(peer, &claims.hops);
        if let Some(PublicUrl { is_https, authority, base }) = &self.public {
            return Site {
                is_https: *is_https,
                authority: Some(authority.clone()),
                host,
                base: (&**base).into(),
                client,
            };
        }
        Site {
            is_https: claims.is_https.unwrap_or(connection.is_tls),
            authority: claims.host.filter(|host| is_authority(host)).or_else(|| host.clone()),
            host,
            base: claims.prefix.as_deref().and_then(base).unwrap_or_default().into(),
            client,
        }
    }

    /// Returns the last address that no trusted proxy has. A client can write any address before its own.
    fn client(&self, peer: IpAddr, hops: &[IpAddr]) -> IpAddr {
        let mut client = peer;
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            client = *hop;
        }
        client
    }
}

/// Returns a request's target without the base path, or `None` if it does not start with it.
///
/// Some proxies remove the base path and others do not.
pub(crate) fn without_base(base: &str, uri: &Uri) -> Option<Uri> {
    let rest =
        uri.path().strip_prefix(base).filter(|rest| !base.is_empty() && (rest.is_empty() || rest.starts_with('/')))?;
    let path = if rest.is_empty() { "/" } else { rest };
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::uri::Uri;
    use axum::http::{HeaderMap, HeaderName};

    use super::super::networks::loopback;
    use super::{Connection, Sites, without_base};

    fn identify(sites: &Sites, peer: &str, lines: &[(&'static str, &str)]) -> (String, String) {
        let headers: HeaderMap =
            lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        let connection = Connection { peer: format!("{peer}:1").parse().unwrap(), is_tls: false };
        let site = sites.identify(connection, &Uri::from_static("/"), &headers);
        (site.url("/x"), site.client.to_string())
    }

    #[test]
    fn headers_count_from_trusted_proxies_only() {
        let sites = Sites { public: None, trusted: loopback() };
        let lines = [
            ("host", "127.0.0.1:8200"),
            ("x-forwarded-for", "1.1.1.1, 192.0.2.7, 127.0.0.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "monitor.example"),
            ("x-forwarded-prefix", "/opbeat"),
        ];
        let found = identify(&sites, "127.0.0.1", &lines);
        assert_eq!(found, ("https://monitor.example/opbeat/x".to_owned(), "192.0.2.7".to_owned()));
        let found = identify(&sites, "192.0.2.1", &lines);
        assert_eq!(found, ("http://127.0.0.1:8200/x".to_owned(), "192.0.2.1".to_owned()));
        let evil = [("host", "a b"), ("x-forwarded-host", "a/b"), ("x-forwarded-prefix", "//evil.example")];
        assert_eq!(identify(&sites, "127.0.0.1", &evil).0, "/x");
        let sites = Sites { public: Some("https://m.example/o".parse().unwrap()), trusted: Vec::new() };
        assert_eq!(identify(&sites, "127.0.0.1", &lines), ("https://m.example/o/x".to_owned(), "127.0.0.1".to_owned()));
    }

    #[test]
    fn the_base_path_is_removed_once() {
        let without = |uri: &'static str| without_base("/opbeat", &Uri::from_static(uri)).map(|uri| uri.to_string());
        assert_eq!(without("/opbeat/acme/?a=b").as_deref(), Some("/acme/?a=b"));
        assert_eq!(without("/opbeat").as_deref(), Some("/"));
        assert_eq!(without("/opbeat?x").as_deref(), Some("/?x"));
        assert_eq!(without("/opbeat/opbeat/shop/").as_deref(), Some("/opbeat/shop/"));
        assert_eq!(without("/opbeats/shop/"), None);
        assert_eq!(without_base("", &Uri::from_static("/a")), None);
    }
}
