//! Forms that pages of other sites send in the name of a reader.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};
use subtle::ConstantTimeEq;

use super::cookies;

/// Returns whether a page of another site may have sent a form.
///
/// Browsers send `Sec-Fetch-Site` to trustworthy addresses, and `Origin` with every form. A request without both is not
/// from a browser. A proxy may replace `Host`, so that it differs from `Origin`: then the form's token decides, which
/// other sites can neither read nor set.
pub(super) fn is_forged(headers: &HeaderMap, token: Option<&str>) -> bool {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = header("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header(ORIGIN.as_str()) else { return false };
    !is_same_host(origin, header(HOST.as_str()).unwrap_or_default()) && !has_token(headers, token)
}

fn is_same_host(origin: &str, host: &str) -> bool {
    let origin = origin.parse::<Uri>().ok();
    let authority = origin.as_ref().and_then(Uri::authority);
    authority.is_some_and(|authority| authority.as_str().eq_ignore_ascii_case(host))
}

fn has_token(headers: &HeaderMap, token: Option<&str>) -> bool {
    let pair = cookies::form(headers).zip(token).filter(|(cookie, _)| !cookie.is_empty());
    pair.is_some_and(|(cookie, token)| bool::from(cookie.as_bytes().ct_eq(token.as_bytes())))
}
