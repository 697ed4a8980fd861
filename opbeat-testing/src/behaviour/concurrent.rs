//! Two concurrent requests, whose spans and tags must not mix.

use super::client::{PATIENCE, Version};
use super::compare::{description, wait_for_records};
use super::subject::Subject;

/// The case's name, for exemptions.
pub(super) const NAME: &str = "two concurrent requests";

/// The expected records of both requests, in the order of their tags.
const EXPECTED: [&str; 2] = ["who=1, first of 1 > second of 1", "who=2, first of 2 > second of 2"];

/// Runs the case. The error describes the differences.
pub(super) fn check_concurrent(subject: &Subject<'_>, version: Version) -> Result<(), String> {
    subject.exporter.take();
    let sent = version.send_at_once(["GET /turns/1", "GET /turns/2"], subject.address);
    let exchanges = sent.map_err(|error| format!("{NAME}: the exchange failed: {error}"))?;
    let recorded = wait_for_records(subject, 2, PATIENCE);
    let mut descriptions: Vec<String> = recorded.samples.iter().map(description).collect();
    descriptions.sort();
    let bodies = exchanges.map(|exchange| exchange.response.unwrap_or_default().1);
    match (bodies == ["1", "2"], descriptions == EXPECTED) {
        (true, true) => Ok(()),
        (true, false) => Err(format!("{NAME}: expected {EXPECTED:?}, got {descriptions:?}")),
        (false, _) => Err(format!("{NAME}: the response bodies are {bodies:?}")),
    }
}
