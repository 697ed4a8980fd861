//! The paths of the pages, as links need them: below the base path of the request that is answered.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::query::{AppIdentity, Range, SpanFamily, from_seconds};

/// The characters that are encoded: all but the unreserved ones of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The longest path to continue at after signing in, in bytes.
const MAX_NEXT: usize = 2_048;

/// The longest value of a parameter that links keep, in bytes.
const MAX_KEPT: usize = 64;

/// The path that starts a sign-in by the provider, without the base path.
pub(super) const START_BY_PROVIDER: &str = "/sign-in/openid-connect";

/// The path to which the provider leads a browser back, without the base path.
pub(super) const BACK_FROM_PROVIDER: &str = "/sign-in/openid-connect/callback";

tokio::task_local! {
    /// The range of the request that is answered, as the query string of links to other parts of its app.
    static RANGE: String;
    /// The base path of the request that is answered. Pages would otherwise pass it through each function.
    static BASE: Arc<str>;
}

/// Answers a request whose client sees this server below a base path.
pub(super) async fn within<F: Future>(base: Arc<str>, answer: F) -> F::Output {
    BASE.scope(base, answer).await
}

/// Answers a request so that the links to other parts of its app keep the range that its query string names.
pub(super) async fn keeping_range<F: Future>(query: Option<&str>, answer: F) -> F::Output {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let range = pairs.filter(|(name, value)| matches!(*name, "range" | "from" | "to") && value.len() <= MAX_KEPT);
    let range =
        range.filter_map(|(name, value)| Some(format!("{name}={}", encode(&decode(&value.replace('+', " "))?))));
    let range: Vec<String> = range.take(3).collect();
    RANGE.scope(if range.is_empty() { String::new() } else { format!("?{}", range.join("&")) }, answer).await
}

/// Returns a link to another part of an app, with the range of the request that is answered.
pub(super) fn part(path: &str) -> String {
    RANGE.try_with(|range| format!("{path}{range}")).unwrap_or_else(|_| path.to_owned())
}

/// Returns the path of this server by which a client reaches `path`.
pub(super) fn link(path: &str) -> String {
    BASE.try_with(|base| format!("{base}{path}")).unwrap_or_else(|_| path.to_owned())
}

/// Returns the list of all apps.
pub(super) fn apps() -> String {
    link("/")
}

/// Returns the page that signs in.
pub(super) fn sign_in() -> String {
    link("/sign-in")
}

/// Returns the address that starts a sign-in by the provider, which continues at `next`.
pub(super) fn start_by_provider(next: &str) -> String {
    if next == apps() { link(START_BY_PROVIDER) } else { format!("{}?next={}", link(START_BY_PROVIDER), encode(next)) }
}

/// Returns the target of the form that signs out.
pub(super) fn sign_out() -> String {
    link("/sign-out")
}

/// Returns the page that creates the owner of the server.
pub(super) fn first_run() -> String {
    link("/first-run/")
}

/// Returns the page of the person who is signed in.
pub(super) fn me() -> String {
    link("/me/")
}

/// Returns the page that turns mails off.
pub(super) fn unsubscribe(secret: &str) -> String {
    link(&format!("/unsubscribe/{}/", encode(secret)))
}

/// Returns the path of an invitation's page, without the base path.
pub(super) fn invitation(secret: &str) -> String {
    format!("/invitations/{}/", encode(secret))
}

/// Returns the page of an organization's people.
pub(super) fn people(organization: &str) -> String {
    link(&format!("/{}/people/", encode(organization)))
}

/// Returns the page of a member of an organization.
pub(super) fn member(organization: &str, person: &str) -> String {
    format!("{}{}/", people(organization), encode(person))
}

/// Returns the page of a team.
pub(super) fn team(organization: &str, team: i64) -> String {
    format!("{}teams/{team}/", people(organization))
}

/// Returns the page of an organization's audit log.
pub(super) fn audit(organization: &str) -> String {
    format!("{}audit/", people(organization))
}

/// Returns an app's first page.
pub(super) fn app(app: &AppIdentity) -> String {
    link(&format!("/{}/{}/", encode(&app.organization), encode(&app.name)))
}

/// Returns a transaction's page.
pub(super) fn transaction(app: &AppIdentity, transaction: i64) -> String {
    format!("{}transactions/{transaction}", self::app(app))
}

/// Returns a sample's page.
pub(super) fn sample(app: &AppIdentity, transaction: i64, sample: i64) -> String {
    format!("{}/samples/{sample}", self::transaction(app, transaction))
}

/// Returns the page of an app's errors.
pub(super) fn errors(app: &AppIdentity) -> String {
    format!("{}errors/", self::app(app))
}

/// Returns the target of the form that changes errors.
pub(super) fn change_errors(app: &AppIdentity) -> String {
    format!("{}change", errors(app))
}

/// Returns the target of the form that comments an error.
pub(super) fn comment(app: &AppIdentity, number: i64) -> String {
    format!("{}comments", error(app, number))
}

/// Returns the page of an app's releases.
pub(super) fn releases(app: &AppIdentity) -> String {
    format!("{}releases/", self::app(app))
}

/// Returns a release's page.
pub(super) fn release(app: &AppIdentity, number: i64) -> String {
    format!("{}{number}/", releases(app))
}

/// Returns the page of an app's notifications.
pub(super) fn notifications(app: &AppIdentity) -> String {
    format!("{}notifications/", self::app(app))
}

/// Returns the page of an app's jobs.
pub(super) fn jobs(app: &AppIdentity) -> String {
    format!("{}jobs/", self::app(app))
}

/// Returns the page of an app's queries, or of its calls of other services.
pub(super) fn spans(app: &AppIdentity, family: SpanFamily) -> String {
    match family {
        SpanFamily::Queries => format!("{}queries/", self::app(app)),
        SpanFamily::Calls => format!("{}calls/", self::app(app)),
    }
}

/// Returns the page of a query or a call.
pub(super) fn span(app: &AppIdentity, family: SpanFamily, id: i64) -> String {
    format!("{}{id}/", spans(app, family))
}

/// Returns the page about an app's intake.
pub(super) fn intake(app: &AppIdentity) -> String {
    format!("{}intake/", self::app(app))
}

/// Returns the page with the steps that connect an application.
pub(super) fn setup(app: &AppIdentity) -> String {
    format!("{}setup/", self::app(app))
}

/// Returns an error's page.
pub(super) fn error(app: &AppIdentity, number: i64) -> String {
    format!("{}{number}/", errors(app))
}

/// Returns the page of one occurrence of an error.
pub(super) fn occurrence(app: &AppIdentity, number: i64, occurrence: i64) -> String {
    format!("{}?occurrence={occurrence}", error(app, number))
}

/// Returns the query string that keeps a range in links: `?range=6h`, or both ends.
pub(super) fn range(range: &Range) -> String {
    match range.name {
        Some(name) => format!("?range={name}"),
        None => {
            let (from, to) = range.asked();
            let [from, to] = [from, to].map(|end| encode(&from_seconds(end).to_string()));
            format!("?from={from}&to={to}")
        }
    }
}

/// Percent-encodes a text for a segment of a path or a value of a query string.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Returns the path to continue at after signing in: the list of apps, unless `next` is the path of a page of this
/// server, with the base path or without.
pub(super) fn after_sign_in(next: Option<&str>) -> String {
    let is_end = |rest: &str| rest.is_empty() || rest.starts_with(['/', '?']);
    let without_base = |next| BASE.try_with(|base| str::strip_prefix(next, &**base).filter(|rest| is_end(rest)));
    page(next.map(|next| without_base(next).ok().flatten().unwrap_or(next)))
}

/// Returns the path of a page as a link, or the list of apps if `target` is not the path of a page of this server.
///
/// Browsers drop tabs and newlines, and treat `\` as `/`, so that `/\t/evil.example` is another server. The path is
/// therefore taken apart, and made again from its parts.
pub(super) fn page(target: Option<&str>) -> String {
    let target = target.filter(|target| target.len() <= MAX_NEXT).and_then(page_on_this_server);
    target.map_or_else(apps, |target| link(&target))
}

fn page_on_this_server(target: &str) -> Option<String> {
    let target = target.split_once('#').map_or(target, |(target, _)| target);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let segments = path.strip_prefix('/')?.split('/').map(decode).collect::<Option<Vec<_>>>()?;
    let (last, folders) = segments.split_last()?;
    let is_name = |segment: &String| !matches!(segment.as_str(), "" | "." | "..") && !segment.contains(['/', '\\']);
    if !folders.iter().all(is_name) || !(last.is_empty() || is_name(last)) {
        return None;
    }
    if matches!(segments[0].as_str(), "sign-in" | "sign-out") {
        return None;
    }
    let segments: Vec<String> = segments.iter().map(|segment| encode(segment)).collect();
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let part = |text: &str| decode(&text.replace('+', " ")).map(|text| encode(&text));
        Some(format!("{}={}", part(name)?, part(value)?))
    });
    let query = pairs.collect::<Option<Vec<_>>>()?.join("&");
    let separator = if query.is_empty() { "" } else { "?" };
    Some(format!("/{}{separator}{query}", segments.join("/")))
}

/// Percent-decodes a part of a path or query. Returns `None` if it contains control characters or is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    (!decoded.chars().any(char::is_control)).then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::after_sign_in;

    #[test]
    fn only_pages_of_this_server_follow_the_sign_in() {
        for page in ["/", "/acme/shop/", "/acme/shop/errors/7/?range=6h", "/a?search=a%20b%26c%2Fd&page=2"] {
            assert_eq!(after_sign_in(Some(page)), page);
        }
        for foreign in [
            "",
            "x",
            "evil.example",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n",
            "/a\r\nb",
            "\t//evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%09/evil.example",
            "/.//x",
            "/a/..//evil.example",
            "/a//b",
            "/%2e%2e/x",
            "/a%00",
            "/%ff",
            "/a?b=%0a",
            "/\u{85}/x",
            "/sign-in?next=/a",
            "javascript:alert(1)",
            "/a\\..\\b",
        ] {
            assert_eq!(after_sign_in(Some(foreign)), "/", "{foreign:?}");
        }
        assert_eq!(after_sign_in(Some("/ä b?c d#e")), "/%C3%A4%20b?c%20d=");
        assert_eq!(after_sign_in(Some(&"/a".repeat(5_000))), "/");
    }
}
