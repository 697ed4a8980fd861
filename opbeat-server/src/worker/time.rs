//! Times that agents claim.

use opbeat_protocol::Timestamp;

const DAY: i64 = 86_400_000_000;

/// Returns a claimed time, or the time of receipt if it is missing, more than a day ahead or more than a year ago.
pub(super) fn plausible(claimed: Option<Timestamp>, received: Timestamp) -> Timestamp {
    let is_plausible =
        |claimed: &Timestamp| (received.micros() - 365 * DAY..=received.micros() + DAY).contains(&claimed.micros());
    claimed.filter(is_plausible).unwrap_or(received)
}
