//! Times of the store, which are whole numbers, as [`Timestamp`]s.

use jiff::Timestamp;

/// Returns a time given in microseconds since 1970. Times outside the years -9999 to 9999 are clamped.
pub(crate) fn from_micros(micros: i64) -> Timestamp {
    let limit = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_microsecond(micros).unwrap_or(limit)
}

/// Returns a time given in seconds since 1970.
pub(crate) fn from_seconds(seconds: i64) -> Timestamp {
    from_micros(seconds.saturating_mul(1_000_000))
}
