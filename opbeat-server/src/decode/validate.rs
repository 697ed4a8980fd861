//! Parses bodies, and checks their shape and their values.

use opbeat_protocol::{ErrorBody, TraceGroup, Traces, TransactionGroup, TransactionsBody};
use serde::de::DeserializeOwned;

use super::report::Undecodable;

/// The largest number of items in an array. No agent sends more.
const MAX_GROUPS: usize = 50_000;

/// The largest number of durations in one body.
const MAX_DURATIONS: usize = 1_000_000;

/// The longest valid duration in milliseconds: ten years.
const MAX_DURATION: f64 = 10.0 * 365.0 * 86_400_000.0;

/// Parses the body of `errors/`.
///
/// # Errors
///
/// Returns an error that names the invalid field.
pub(crate) fn parse_errors(json: &[u8]) -> Result<ErrorBody, Undecodable> {
    let body: ErrorBody = parse(json)?;
    if body.message.is_empty() && body.exception.is_none() && body.param_message.is_none() {
        return Err(Undecodable::field("message", "it is empty, and there is no exception"));
    }
    Ok(body)
}

/// Parses the body of `transactions/`.
///
/// # Errors
///
/// Returns an error that names the invalid field.
pub(crate) fn parse_transactions(json: &[u8]) -> Result<TransactionsBody, Undecodable> {
    let body: TransactionsBody = parse(json)?;
    check_transactions(&body)?;
    match &body.traces {
        Traces::Groups(groups) => check_groups(groups)?,
        Traces::Sampled { groups, raw } => {
            check_groups(groups)?;
            check_raw(groups.len(), raw)?;
        }
    }
    check_count("breakdown", body.breakdown.len())?;
    let self_times = body.breakdown.iter().map(|group| group.self_ms);
    check_durations("breakdown", self_times)?;
    Ok(body)
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Undecodable> {
    serde_json::from_slice(json).map_err(|error| {
        let reason = if error.is_data() { "the JSON does not have the expected shape" } else { "it is not JSON" };
        Undecodable::field(
            "body",
            format!("{reason}: {error}; send a JSON object as the protocol defines it, plain or compressed with zlib"),
        )
    })
}

fn check_transactions(body: &TransactionsBody) -> Result<(), Undecodable> {
    check_count("transactions", body.transactions.len())?;
    let count: usize = body.transactions.iter().map(|group| group.durations.len()).sum();
    if count > MAX_DURATIONS {
        return Err(Undecodable::field("transactions", format!("there are more than {MAX_DURATIONS} durations")));
    }
    check_durations("durations", body.transactions.iter().flat_map(|group| group.durations.iter().copied()))?;
    body.transactions.iter().try_for_each(check_heads)
}

/// Checks that a group has a head time for each duration, or none.
fn check_heads(group: &TransactionGroup) -> Result<(), Undecodable> {
    let (heads, durations) = (group.head_durations.len(), group.durations.len());
    if heads > 0 && heads != durations {
        let reason = format!("a group has {heads} of them for {durations} durations; send one for each, or none");
        return Err(Undecodable::field("head_durations", reason));
    }
    check_durations("head_durations", group.head_durations.iter().copied())
}

fn check_groups(groups: &[TraceGroup]) -> Result<(), Undecodable> {
    check_count("traces", groups.len())?;
    check_durations("traces", groups.iter().flat_map(|group| group.durations.iter().map(|(span, _)| *span)))
}

fn check_raw(groups: usize, raw: &[opbeat_protocol::RawTransaction]) -> Result<(), Undecodable> {
    check_count("raw", raw.len())?;
    for sample in raw {
        let durations = sample.spans.iter().map(|span| span.duration);
        check_durations("raw", durations.chain([sample.duration]))?;
        if let Some(span) = sample.spans.iter().find(|span| span.group >= groups) {
            let reason = format!("a span refers to group {}, but there are {groups}", span.group);
            return Err(Undecodable::field("raw", reason));
        }
    }
    Ok(())
}

fn check_count(field: &'static str, count: usize) -> Result<(), Undecodable> {
    if count > MAX_GROUPS {
        return Err(Undecodable::field(field, format!("it has {count} items, more than {MAX_GROUPS}")));
    }
    Ok(())
}

fn check_durations(field: &'static str, mut durations: impl Iterator<Item = f64>) -> Result<(), Undecodable> {
    match durations.find(|duration| !(0.0..=MAX_DURATION).contains(duration)) {
        Some(duration) => Err(Undecodable::field(field, format!("{duration} is not a duration in milliseconds"))),
        None => Ok(()),
    }
}
