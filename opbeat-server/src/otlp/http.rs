//! The attributes of HTTP, by the current and the older conventions.

use serde_json::{Map, Value};

use super::attributes::{Attributes, MAX_ATTRIBUTES, MAX_NAME, to_text};
use crate::text::shortened;

/// The names of the method.
pub(super) const METHOD: [&str; 2] = ["http.request.method", "http.method"];

/// The names of the status of the response.
pub(super) const STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];

const FULL_URL: [&str; 2] = ["url.full", "http.url"];
const SCHEME: [&str; 2] = ["url.scheme", "http.scheme"];
const HOST: [&str; 4] = ["server.address", "net.peer.name", "net.host.name", "http.host"];
const PORT: [&str; 3] = ["server.port", "net.peer.port", "net.host.port"];
const AGENT: [&str; 2] = ["user_agent.original", "http.user_agent"];
const HEADER: &str = "http.request.header.";

/// Returns whether [`request`] reads an attribute, so that it needs no second place.
pub(super) fn is_http(name: &str) -> bool {
    let names = [&METHOD[..], &STATUS, &FULL_URL, &SCHEME, &HOST, &PORT, &AGENT];
    let others = ["http.route", "http.target", "http.flavor", "url.path", "url.query"];
    name.starts_with(HEADER) || others.contains(&name) || names.iter().any(|names| names.contains(&name))
}

/// Returns the request that a span describes, if it describes one.
pub(super) fn request(attributes: Attributes<'_>) -> Option<Map<String, Value>> {
    let method = attributes.text(&METHOD)?;
    let mut request = Map::new();
    request.insert("method".to_owned(), method.into());
    if let Some(url) = url(attributes) {
        request.insert("url".to_owned(), url.into());
    }
    let mut headers: Map<String, Value> = attributes
        .0
        .iter()
        .filter_map(|attribute| {
            let name = attribute.key.strip_prefix(HEADER)?;
            Some((shortened(name, MAX_NAME), to_text(attribute.value.as_ref()?).into()))
        })
        .take(MAX_ATTRIBUTES)
        .collect();
    if let Some(agent) = attributes.text(&AGENT) {
        headers.insert("user-agent".to_owned(), agent.into());
    }
    if !headers.is_empty() {
        request.insert("headers".to_owned(), headers.into());
    }
    Some(request)
}

/// Returns the URL of a request, as far as the attributes contain it.
pub(super) fn url(attributes: Attributes<'_>) -> Option<String> {
    if let Some(url) = attributes.text(&FULL_URL) {
        return Some(url.to_owned());
    }
    let target = attributes.text(&["http.target"]).map(str::to_owned);
    let path = || {
        let path = attributes.text(&["url.path"])?;
        Some(attributes.text(&["url.query"]).map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))
    };
    let target = path().or(target)?;
    match (attributes.text(&SCHEME), host(attributes)) {
        (Some(scheme), Some(host)) => Some(format!("{scheme}://{host}{target}")),
        _ => Some(target),
    }
}

/// Returns the host and the port that a request goes to. The default ports are left out.
pub(super) fn host(attributes: Attributes<'_>) -> Option<String> {
    let Some(host) = attributes.text(&HOST) else {
        let url = attributes.text(&FULL_URL)?;
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next()?;
        // Credentials are not part of the name.
        return Some(authority.rsplit('@').next().unwrap_or(authority).to_owned()).filter(|host| !host.is_empty());
    };
    match attributes.number(&PORT) {
        Some(port) if port != 80 && port != 443 && !host.contains(':') => Some(format!("{host}:{port}")),
        _ => Some(host.to_owned()),
    }
}
