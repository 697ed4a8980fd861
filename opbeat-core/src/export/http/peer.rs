//! The program that deliveries go to.

use hyper::Uri;

/// The program that deliveries go to, as messages for the developer name it.
#[derive(Clone, Debug)]
pub(in crate::export) struct Peer {
    /// Its address.
    pub(in crate::export) url: String,
    pub(in crate::export) is_https: bool,
    /// The kind of program, such as `Opbeat server`.
    pub(in crate::export) name: &'static str,
    /// The way to start it, as the start of a sentence.
    pub(in crate::export) start: &'static str,
    /// The variable with its address.
    pub(in crate::export) variable: &'static str,
}

/// Parses an address of HTTP. Returns it with whether it asks for TLS; `None` if it is invalid.
pub(in crate::export) fn parse_url(url: &str) -> Option<(Uri, bool)> {
    let uri: Uri = url.parse().ok()?;
    let is_https = uri.scheme_str() == Some("https");
    let is_http = is_https || uri.scheme_str() == Some("http");
    (is_http && uri.host().is_some_and(|host| !host.is_empty())).then_some((uri, is_https))
}
