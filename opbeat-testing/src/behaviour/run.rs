//! Runs the table.

use std::time::Duration;

use super::cases::{Case, HttpVersions, cases};
use super::client::{PATIENCE, Version};
use super::subject::Subject;
use super::{compare, concurrent};

/// The time within which an exempt case counts as passed. It is short, since most exempt cases never record the
/// expected data, and would take the whole time.
const EXEMPT_PATIENCE: Duration = Duration::from_millis(200);

/// Runs the whole table against an application over HTTP/1.1.
///
/// The handlers signal the client through statics, so only one call may run at a time in a process.
///
/// # Panics
///
/// Panics with a list of failures if any case differs from the table, if an exempt case passes, or if an exempt name
/// is unknown.
pub fn check(subject: &Subject<'_>) {
    report(&failures_of_all(subject, Version::Http1, None));
}

/// Runs the table against an application over HTTP/2 without TLS, if the server supports that.
///
/// # Panics
///
/// Panics as [`check`] does.
pub fn check_http2(subject: &Subject<'_>) {
    report(&failures_of_all(subject, Version::Http2, None));
}

/// Runs some cases of the table over HTTP/1.1, for cases that need a separate application.
///
/// # Panics
///
/// Panics if any of them differs from the table, or if a name is unknown.
pub fn check_only(subject: &Subject<'_>, names: &[&str]) {
    let mut failures = unknown(names.iter().copied());
    failures.extend(failures_of_all(subject, Version::Http1, Some(names)));
    report(&failures);
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

/// Returns a message for each case that differs from the table.
fn failures_of_all(subject: &Subject<'_>, version: Version, only: Option<&[&str]>) -> Vec<String> {
    let is_wanted = |name: &str| only.is_none_or(|names| names.contains(&name));
    let mut failures = unknown(subject.exempt.iter().map(|(name, _)| *name));
    let wanted = cases().filter(|case| uses(case, version) && is_wanted(case.name));
    failures.extend(wanted.filter_map(|case| failure_of(subject, case, version).err()));
    if is_wanted(concurrent::NAME) && !is_exempt(subject, concurrent::NAME) {
        failures.extend(concurrent::check_concurrent(subject, version).err());
    }
    failures
}

fn failure_of(subject: &Subject<'_>, case: &Case, version: Version) -> Result<(), String> {
    if !is_exempt(subject, case.name) {
        return compare::check_case(subject, case, version, PATIENCE);
    }
    match compare::check_case(subject, case, version, EXEMPT_PATIENCE) {
        Ok(()) => Err(format!("{}: is exempt, but passes", case.name)),
        Err(_) => Ok(()),
    }
}

fn is_exempt(subject: &Subject<'_>, name: &str) -> bool {
    subject.exempt.iter().any(|(exempt, _)| *exempt == name)
}

fn uses(case: &Case, version: Version) -> bool {
    matches!(
        (case.versions, version),
        (HttpVersions::Both, _) | (HttpVersions::Http1, Version::Http1) | (HttpVersions::Http2, Version::Http2)
    )
}

/// Returns a message for each name that is not in the table.
fn unknown<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_known = |name: &str| name == concurrent::NAME || cases().any(|case| case.name == name);
    names.filter(|name| !is_known(name)).map(|name| format!("{name}: there is no such case")).collect()
}
