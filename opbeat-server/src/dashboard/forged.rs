//! Forms that pages of other sites send in the name of a reader.

use axum::http::Uri;
use axum::http::header::ORIGIN;

use super::access::Browser;
use super::cookies;
use crate::random::random_hex;
use crate::sessions::FormSource;

/// Returns whether a page of another site may have sent a form.
///
/// Browsers send `Sec-Fetch-Site` to trustworthy addresses, and `Origin` with every form. A request without both is not
/// from a browser. A proxy may replace `Host`, so that it differs from `Origin`, and may not state which one the browser
/// used: then the form's token decides.
pub(super) fn is_forged(browser: &Browser, token: Option<&str>) -> bool {
    let header = |name: &str| browser.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = header("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header(ORIGIN.as_str()) else { return false };
    let site = &browser.site;
    let mut hosts = [&site.authority, &site.host].into_iter().flatten();
    !hosts.any(|host| is_same_host(origin, host)) && !has_token(browser, token)
}

fn is_same_host(origin: &str, host: &str) -> bool {
    let origin = origin.parse::<Uri>().ok();
    let authority = origin.as_ref().and_then(Uri::authority);
    authority.is_some_and(|authority| authority.as_str().eq_ignore_ascii_case(host))
}

fn has_token(browser: &Browser, token: Option<&str>) -> bool {
    let pair = cookies::form(&browser.site, &browser.headers).zip(token);
    pair.is_some_and(|(cookie, token)| browser.sessions.is_form_token(&source(browser, cookie), token))
}

/// Returns the token of the browser's forms, and the header that sets its cookie.
pub(super) fn form_token(browser: &Browser) -> (String, String) {
    // A second form keeps the cookie of the first one, so that both can be sent.
    let is_ours = |cookie: &&str| cookie.len() == 32 && cookie.bytes().all(|byte| byte.is_ascii_hexdigit());
    let cookie =
        cookies::form(&browser.site, &browser.headers).filter(is_ours).map_or_else(random_hex::<16>, str::to_owned);
    let token = browser.sessions.form_token(&source(browser, &cookie));
    (token, cookies::set_form(&browser.site, &cookie))
}

fn source<'a>(browser: &'a Browser, cookie: &'a str) -> FormSource<'a> {
    FormSource { cookie, session: cookies::session(&browser.site, &browser.headers), address: browser.site.client }
}
