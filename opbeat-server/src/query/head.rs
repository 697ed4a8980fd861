//! The time to the response head, beside the whole duration.

use serde::Serialize;
use utoipa::ToSchema;

use crate::changes::Rollup;

/// A head time is shown beside the duration if it is shorter by at least this time in milliseconds, and by at least
/// this share of the duration. Below that, both percentiles may be estimates of the same value.
const MIN_DIFFERENCE_MS: f64 = 1.0;
const MIN_DIFFERENCE: f64 = 0.1;

/// Percentiles of the time until the response head (status and headers) was ready. They are within 1 %.
///
/// Transactions whose head times were not sent count their whole durations.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct HeadPercentiles {
    /// The time in milliseconds that half of them did not exceed.
    pub(crate) p50_ms: f64,
    /// The time in milliseconds that 95 % of them did not exceed.
    pub(crate) p95_ms: f64,
    /// The time in milliseconds that 99 % of them did not exceed.
    pub(crate) p99_ms: f64,
}

impl HeadPercentiles {
    /// Returns the percentiles of a rollup, or `None` if it is empty.
    pub(super) fn of(rollup: &Rollup) -> Option<Self> {
        let quantile = |share| rollup.head_quantile(share);
        Some(Self { p50_ms: quantile(0.5)?, p95_ms: quantile(0.95)?, p99_ms: quantile(0.99)? })
    }

    /// Returns whether one of the percentiles is noticeably shorter than that of the durations: the median, the 95th
    /// and the 99th.
    pub(super) fn is_shorter_than(&self, durations: [f64; 3]) -> bool {
        let heads = [self.p50_ms, self.p95_ms, self.p99_ms];
        heads.into_iter().zip(durations).any(|(head, duration)| is_shorter(head, duration))
    }
}

/// Returns whether a head time in milliseconds is noticeably shorter than a duration.
pub(super) fn is_shorter(head: f64, duration: f64) -> bool {
    duration - head >= f64::max(MIN_DIFFERENCE_MS, MIN_DIFFERENCE * duration)
}
