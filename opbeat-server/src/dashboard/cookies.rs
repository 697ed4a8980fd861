//! The cookies of the pages: the session, and the random value of forms.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

use crate::sessions::Sessions;

/// The cookie that contains a session's id.
const SESSION: &str = "opbeat_session";

/// The cookie that contains the random value that the token of a form belongs to.
const FORM: &str = "opbeat_form";

/// Returns the session's id.
pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    value(headers, SESSION)
}

/// Returns the random value that the token of a form belongs to.
pub(super) fn form(headers: &HeaderMap) -> Option<&str> {
    value(headers, FORM)
}

/// Returns the header that sets the session's cookie.
pub(super) fn set_session(headers: &HeaderMap, id: &str) -> String {
    let max_age = Duration::try_from(Sessions::MAX_AGE).unwrap_or(Duration::MAX);
    set(headers, SESSION, id, SameSite::Lax, Some(max_age))
}

/// Returns the header that removes the session's cookie.
pub(super) fn remove_session(headers: &HeaderMap) -> String {
    set(headers, SESSION, "", SameSite::Lax, Some(Duration::ZERO))
}

/// Returns the header that sets the cookie of forms, until the browser is closed.
pub(super) fn set_form(headers: &HeaderMap, value: &str) -> String {
    set(headers, FORM, value, SameSite::Strict, None)
}

fn set(headers: &HeaderMap, name: &str, value: &str, same_site: SameSite, max_age: Option<Duration>) -> String {
    let mut cookie = Cookie::new(full_name(headers, name), value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(same_site);
    cookie.set_max_age(max_age);
    cookie.set_secure(is_https(headers));
    cookie.to_string()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let name = full_name(headers, name);
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == name).and_then(|cookie| cookie.value_raw())
}

/// Returns a cookie's name. Over HTTPS it has a prefix, with which browsers accept it from this host only.
fn full_name(headers: &HeaderMap, name: &str) -> String {
    let prefix = if is_https(headers) { "__Host-" } else { "" };
    format!("{prefix}{name}")
}

/// Returns whether the browser uses HTTPS, as a proxy reports it.
fn is_https(headers: &HeaderMap) -> bool {
    let scheme = headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok()).unwrap_or_default();
    // Of several proxies, the first one is the browser's.
    scheme.split(',').next().is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}
