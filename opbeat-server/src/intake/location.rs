//! The address at which an accepted error is shown.

use axum::http::HeaderMap;
use axum::http::header::HOST;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::sender::Sender;

/// All bytes of a path's segment that must be encoded: all except the unreserved ones of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest host in bytes, with its port.
const MAX_HOST: usize = 300;

/// Returns the URL of an error, on the host that the agent sent it to. Without a valid host, it is relative.
pub(super) fn location(sender: &Sender, id: &str, headers: &HeaderMap) -> String {
    let Sender { organization, app, .. } = sender;
    let [organization, app, id] = [organization, app, id].map(|segment| utf8_percent_encode(segment, ENCODED));
    let path = format!("/{organization}/{app}/errors/by-id/{id}");
    match host(headers) {
        Some(host) => format!("{}://{host}{path}", scheme(headers)),
        None => path,
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    ((1..=MAX_HOST).contains(&host.len()) && host.chars().all(is_part)).then_some(host)
}

/// Returns the scheme of the agent's request, which a proxy with TLS passes on.
fn scheme(headers: &HeaderMap) -> &'static str {
    let forwarded = headers.get("x-forwarded-proto").and_then(|proto| proto.to_str().ok()).unwrap_or_default();
    let first = forwarded.split(',').next().unwrap_or_default().trim();
    if first.eq_ignore_ascii_case("https") { "https" } else { "http" }
}
