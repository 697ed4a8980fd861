//! The requests of a window of time as dense counts, and the figures that are compared.

use crate::histogram::{WIDTH, log_of};

/// The share of requests above which durations count as this quantile in the mean (Winsor's mean): a few time-outs
/// otherwise decide it.
const WINSORISED_AT: f64 = 0.99;

/// The error of a figure from too few requests, on the logarithmic scale: it never is significant.
pub(crate) const UNKNOWN: f64 = 9.0;

/// Requests that a mean needs at least.
const MIN_REQUESTS_OF_MEAN: f64 = 20.0;

/// Requests beyond a quantile that it needs at least: p95 needs 100 requests.
const MIN_REQUESTS_BEYOND: f64 = 5.0;

/// Counts of durations in consecutive buckets.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    /// The bucket of the first count.
    pub(crate) first: i32,
    /// The counts. They are fractions where requests are weighted.
    pub(crate) counts: Vec<f64>,
    /// The sum of the counts.
    pub(crate) total: f64,
    /// The number of requests that decides the sampling error. It is smaller than `total` if weights differ.
    pub(crate) effective: f64,
}

/// A figure of a distribution on the logarithmic scale, with its sampling error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) log: f64,
    pub(crate) error: f64,
}

impl Distribution {
    pub(crate) fn new(first: i32, counts: Vec<f64>) -> Self {
        let total = counts.iter().sum();
        Self { first, counts, total, effective: total }
    }

    /// Returns the index of the bucket that contains a quantile.
    fn index_of(&self, share: f64) -> f64 {
        let rank = share * self.total;
        let mut below = 0.0;
        let found = self.counts.iter().position(|count| {
            below += count;
            below >= rank && below > 0.0
        });
        found.unwrap_or(self.counts.len().saturating_sub(1)) as f64
    }

    fn log_at(&self, index: f64) -> f64 {
        log_of(f64::from(self.first) + index)
    }

    /// Returns a quantile. Its error is half the distance between the quantiles at p ± √(p(1−p)/n).
    pub(crate) fn quantile(&self, share: f64) -> Estimate {
        let middle = self.log_at(self.index_of(share));
        let n = self.effective.max(1e-9);
        if n * (1.0 - share) < MIN_REQUESTS_BEYOND {
            return Estimate { log: middle, error: UNKNOWN };
        }
        let half = (share * (1.0 - share) / n).sqrt().min(share.min(1.0 - share) * 0.999);
        let distance = self.index_of(share + half) - self.index_of(share - half);
        Estimate { log: middle, error: (distance * WIDTH / 2.0).max(WIDTH / 2.0) }
    }

    /// Returns the mean, in which durations above p99 count as p99.
    pub(crate) fn mean(&self) -> Estimate {
        if self.total <= 0.0 {
            return Estimate { log: 0.0, error: UNKNOWN };
        }
        let last = self.index_of(WINSORISED_AT) as usize;
        let cap = self.log_at(last as f64).exp();
        let (mut sum, mut squares, mut within) = (0.0, 0.0, 0.0);
        let mut value = self.log_at(0.0).exp();
        let growth = WIDTH.exp();
        for count in self.counts.iter().take(last) {
            if *count > 0.0 {
                within += count;
                sum += count * value;
                squares += count * value * value;
            }
            value *= growth;
        }
        let beyond = (self.total - within).max(0.0);
        let mean = (sum + beyond * cap) / self.total;
        let square = (squares + beyond * cap * cap) / self.total;
        let log = mean.max(f64::MIN_POSITIVE).ln();
        if self.effective < MIN_REQUESTS_OF_MEAN {
            return Estimate { log, error: UNKNOWN };
        }
        let variance = (square / (mean * mean) - 1.0).max(0.05);
        Estimate { log, error: (variance / self.effective).sqrt() }
    }
}
