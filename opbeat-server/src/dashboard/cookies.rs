//! The cookies of the pages: the session, and the random value of forms.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::openid_connect::Provider;
use crate::sessions::Sessions;
use crate::site::Site;

/// The cookie that contains a session's id.
const SESSION: &str = "opbeat_session";

/// The cookie that contains the handshake of a sign-in by a provider.
const HANDSHAKE: &str = "opbeat_handshake";

/// The cookie that contains the random value that the token of a form belongs to.
const FORM: &str = "opbeat_form";

/// Returns the session's id.
pub(super) fn session<'a>(site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
    value(site, headers, SESSION)
}

/// Returns the random value that the token of a form belongs to.
pub(super) fn form<'a>(site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
    value(site, headers, FORM)
}

/// Returns the handshake of a sign-in by a provider.
pub(super) fn handshake<'a>(site: &Site, headers: &'a HeaderMap) -> Option<&'a str> {
    value(site, headers, HANDSHAKE)
}

/// Returns the header that sets the cookie of a handshake. The provider leads the browser back from another site, to which
/// `Strict` would send no cookie.
pub(super) fn set_handshake(site: &Site, value: &str) -> String {
    let max_age = Duration::try_from(Provider::MAX_AGE).unwrap_or(Duration::ZERO);
    set(site, HANDSHAKE, value, SameSite::Lax, Some(max_age))
}

/// Returns the header that removes the cookie of a handshake.
pub(super) fn remove_handshake(site: &Site) -> String {
    set(site, HANDSHAKE, "", SameSite::Lax, Some(Duration::ZERO))
}

/// Returns the header that sets the session's cookie.
pub(super) fn set_session(site: &Site, id: &str) -> String {
    let max_age = Duration::try_from(Sessions::MAX_AGE).unwrap_or(Duration::MAX);
    set(site, SESSION, id, SameSite::Lax, Some(max_age))
}

/// Returns the header that removes the session's cookie.
pub(super) fn remove_session(site: &Site) -> String {
    set(site, SESSION, "", SameSite::Lax, Some(Duration::ZERO))
}

/// Returns the header that sets the cookie of forms, until the browser is closed.
pub(super) fn set_form(site: &Site, value: &str) -> String {
    set(site, FORM, value, SameSite::Strict, None)
}

fn set(site: &Site, name: &str, value: &str, same_site: SameSite, max_age: Option<Duration>) -> String {
    // Without a slash at its end, the path includes the base path itself.
    let path = if site.base.is_empty() { "/" } else { &*site.base };
    let mut cookie = Cookie::new(full_name(site, name), value);
    cookie.set_path(path);
    cookie.set_http_only(true);
    cookie.set_same_site(same_site);
    cookie.set_max_age(max_age);
    cookie.set_secure(site.is_https);
    cookie.to_string()
}

fn value<'a>(site: &Site, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let name = full_name(site, name);
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == name).and_then(|cookie| cookie.value_raw())
}

/// Returns a cookie's name. Over HTTPS it has a prefix, with which browsers accept it from this host only. A cookie with
/// a path has the weaker one, which demands HTTPS.
fn full_name(site: &Site, name: &str) -> String {
    let prefix = match (site.is_https, site.base.is_empty()) {
        (true, true) => "__Host-",
        (true, false) => "__Secure-",
        (false, _) => "",
    };
    format!("{prefix}{name}")
}
