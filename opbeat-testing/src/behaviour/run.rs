//! Runs the table.

use std::time::Duration;

use super::cases::{By, Case, cases};
use super::client::{PATIENCE, Version};
use super::{Subject, turns, verdict};

/// What an exempt case records by then counts as passed. The others differ anyway, and nobody waits for them.
const HURRY: Duration = Duration::from_millis(200);

/// Runs the whole table against an application, by HTTP/1.1.
///
/// Its handlers talk to the table's client through statics: one call at a time in a process.
///
/// # Panics
///
/// Panics if any case differs from the table, with a list of all that do; if an exempt case does not; and if there is none
/// of an exemption's name.
pub fn check(subject: &Subject<'_>) {
    report(&judge_all(subject, Version::Http1, None));
}

/// Runs the table against an application by HTTP/2, where the server speaks it without TLS.
///
/// # Panics
///
/// Panics as [`check`] does.
pub fn check_http2(subject: &Subject<'_>) {
    report(&judge_all(subject, Version::Http2, None));
}

/// Runs some cases of the table, by HTTP/1.1: for what needs an application of its own.
///
/// # Panics
///
/// Panics if any of them differs from the table, and if there is none of a name.
pub fn check_only(subject: &Subject<'_>, names: &[&str]) {
    let mut failures = unknown(names.iter().copied());
    failures.extend(judge_all(subject, Version::Http1, Some(names)));
    report(&failures);
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

/// Returns how the cases differ from the table.
fn judge_all(subject: &Subject<'_>, version: Version, only: Option<&[&str]>) -> Vec<String> {
    let is_wanted = |name: &str| only.is_none_or(|names| names.contains(&name));
    let mut failures = unknown(subject.exempt.iter().map(|(name, _)| *name));
    let wanted = cases().filter(|case| is_sent_by(case, version) && is_wanted(case.name));
    failures.extend(wanted.filter_map(|case| judge(subject, case, version).err()));
    if is_wanted(turns::NAME) && !is_exempt(subject, turns::NAME) {
        failures.extend(turns::judge(subject, version).err());
    }
    failures
}

fn judge(subject: &Subject<'_>, case: &Case, version: Version) -> Result<(), String> {
    if !is_exempt(subject, case.name) {
        return verdict::judge(subject, case, version, PATIENCE);
    }
    match verdict::judge(subject, case, version, HURRY) {
        Ok(()) => Err(format!("{}: is exempt, and passes", case.name)),
        Err(_) => Ok(()),
    }
}

fn is_exempt(subject: &Subject<'_>, name: &str) -> bool {
    subject.exempt.iter().any(|(exempt, _)| *exempt == name)
}

fn is_sent_by(case: &Case, version: Version) -> bool {
    matches!((case.by, version), (By::Both, _) | (By::Http1, Version::Http1) | (By::Http2, Version::Http2))
}

/// Returns the names that the table has not.
fn unknown<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let is_known = |name: &str| name == turns::NAME || cases().any(|case| case.name == name);
    names.filter(|name| !is_known(name)).map(|name| format!("{name}: there is no such case")).collect()
}
