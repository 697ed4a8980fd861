//! The rule for spikes: an error that happens much more often than it did.

/// The number of errors in an hour below which nothing is a spike.
const MIN_ERRORS: i64 = 30;

/// The least ratio of the errors in the last hour to those of an average hour before.
const RATIO: i64 = 10;

/// The least history in hours: a new error has no past to compare with.
pub(crate) const MIN_HOURS: i64 = 24;

/// The longest history in hours: a week.
pub(crate) const MAX_HOURS: i64 = 168;

/// Returns whether the errors in the last hour are a spike, after a number of errors in some hours before.
pub(crate) const fn is_spike(in_hour: i64, before: i64, hours: i64) -> bool {
    hours >= MIN_HOURS && in_hour >= MIN_ERRORS && in_hour.saturating_mul(hours) >= before.saturating_mul(RATIO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_is_ten_times_an_average_hour_of_the_past() {
        assert!(is_spike(30, 0, 24) && is_spike(100, 240, 24) && is_spike(100, 1_680, 168));
        assert!(!is_spike(29, 0, 24), "few");
        assert!(!is_spike(1_000, 0, 23), "new");
        assert!(!is_spike(100, 241, 24), "as often as before");
    }
}
