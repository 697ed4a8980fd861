//! The deadlines of calls.

use std::time::Duration;

use http::HeaderMap;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;

/// Sets the time limit of a call's transaction, and the results of calls that end without a status.
///
/// The limit is the client's deadline or the limit of an outer layer, if that is shorter. Servers such as tonic's
/// enforce the client's deadline outside of all layers.
pub(crate) fn configure(transaction: &mut HttpTransaction, headers: &HeaderMap, outer_limit: Option<Duration>) {
    if !transaction.is_recording() {
        return;
    }
    transaction.set_result_names(result_name);
    let timeout = headers.get("grpc-timeout").and_then(|timeout| parse(timeout.to_str().ok()?));
    if let Some(limit) = timeout.into_iter().chain(outer_limit).min() {
        transaction.set_time_limit(limit);
    }
}

/// Returns the result of a call without a status, as the client's library reports it.
fn result_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::ClientGone => "CANCELLED",
        Outcome::TimedOut => "DEADLINE_EXCEEDED",
        other => other.as_str(),
    }
}

/// Parses a timeout: at most eight digits, and a unit.
fn parse(timeout: &str) -> Option<Duration> {
    let (digits, unit) = timeout.split_at_checked(timeout.len().checked_sub(1)?)?;
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_parsed_with_their_units() {
        let timeouts = ["2H", "3M", "4S", "5m", "6u", "7n"].map(|timeout| parse(timeout).unwrap());
        let expected = [7_200_000_000_000, 180_000_000_000, 4_000_000_000, 5_000_000, 6_000, 7];
        assert_eq!(timeouts, expected.map(Duration::from_nanos));
    }

    #[test]
    fn invalid_timeouts_are_ignored() {
        for timeout in ["", "5", "m", "5x", "123456789m", "-5m", "5é"] {
            assert_eq!(parse(timeout), None, "{timeout}");
        }
    }
}
