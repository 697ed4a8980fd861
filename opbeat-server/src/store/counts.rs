//! Counts, as columns and sums of the database have them.

use crate::changes::MAX_COUNT;

/// Returns a count as the database stores it. Larger ones than [`MAX_COUNT`] are stored as that, so that sums of many
/// rows do not overflow.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number.min(MAX_COUNT)).unwrap_or(i64::MAX)
}

/// Returns a count as an unsigned number; no count is negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Returns a sum of counts, which are added up as floating-point numbers, so that the sum cannot overflow.
pub(super) fn count(total: f64) -> u64 {
    total.max(0.0) as u64
}
