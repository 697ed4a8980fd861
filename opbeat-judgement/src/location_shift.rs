//! The estimator of a shift between two distributions by Hodges & Lehmann (1963): the median of all differences
//! between a request after and a request before.
//!
//! On the logarithmic scale it is the factor by which a typical request became longer. A mode that is far away, such as
//! the misses of a cache, does not spread it as it spreads a mean, so few requests are enough.

use crate::distribution::{Distribution, Estimate, UNKNOWN};
use crate::histogram::WIDTH;

/// Requests on the smaller side that the estimate needs at least.
const MIN_REQUESTS: f64 = 20.0;

/// The first step of the search, in buckets.
const FIRST_STEP: i64 = 4;

/// The distribution before, prepared for comparisons with several distributions after.
pub(crate) struct Reference {
    first: i32,
    /// For each bucket the number of requests below it, and half of those in it.
    below: Vec<f64>,
    total: f64,
    effective: f64,
}

impl Reference {
    pub(crate) fn new(before: &Distribution) -> Self {
        let mut sum = 0.0;
        let below = before.counts.iter().map(|count| {
            sum += count;
            sum - count / 2.0
        });
        let below = below.collect();
        Self { first: before.first, below, total: before.total, effective: before.effective }
    }

    /// Returns the shift of a distribution, with its error: half the distance between the shifts at which the statistic
    /// of Mann & Whitney (1947) is one standard error from its middle.
    pub(crate) fn shift_to(&self, after: &Distribution) -> Estimate {
        let smaller = self.effective.min(after.effective);
        if smaller < MIN_REQUESTS || self.total <= 0.0 || after.total <= 0.0 {
            return Estimate { log: 0.0, error: UNKNOWN };
        }
        let spread = ((self.effective + after.effective + 1.0) / (12.0 * self.effective * after.effective)).sqrt();
        let offset = i64::from(after.first) - i64::from(self.first);
        let filled = after.counts.iter().enumerate().filter(|(_, count)| **count > 0.0);
        let filled: Vec<(i64, f64)> =
            filled.map(|(index, count)| (index as i64 + offset, count / after.total)).collect();
        let middle = self.solve(&filled, 0.5, 0);
        let near = middle as i64;
        let low = self.solve(&filled, (0.5 + spread).min(0.999), near);
        let high = self.solve(&filled, (0.5 - spread).max(0.001), near);
        Estimate { log: middle * WIDTH, error: ((high - low) * WIDTH / 2.0).max(WIDTH / 2.0) }
    }

    /// Returns the move in buckets at which a share of all pairs has the longer request after: steps that double away
    /// from a guess, bisection between the last two, then a line between two buckets.
    fn solve(&self, after: &[(i64, f64)], share: f64, guess: i64) -> f64 {
        let span = self.below.len() as i64 + after.last().map_or(0, |(index, _)| index.abs());
        let (mut low, mut high) = (guess.clamp(-span, span), guess.clamp(-span, span));
        let mut at_low = self.share_longer(after, low);
        let mut at_high = at_low;
        let mut step = FIRST_STEP;
        if at_low >= share {
            loop {
                high = (low + step).min(span);
                at_high = self.share_longer(after, high);
                if at_high < share || high >= span {
                    break;
                }
                (low, at_low) = (high, at_high);
                step *= 2;
            }
        } else {
            loop {
                low = (high - step).max(-span);
                at_low = self.share_longer(after, low);
                if at_low >= share || low <= -span {
                    break;
                }
                (high, at_high) = (low, at_low);
                step *= 2;
            }
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let found = self.share_longer(after, middle);
            if found >= share {
                (low, at_low) = (middle, found);
            } else {
                (high, at_high) = (middle, found);
            }
        }
        let height = at_low - at_high;
        low as f64 + if height > 1e-12 { ((at_low - share) / height).clamp(0.0, 1.0) } else { 0.5 }
    }

    /// Returns the share of pairs in which the request after is longer than the one before, moved by some buckets.
    fn share_longer(&self, after: &[(i64, f64)], moved: i64) -> f64 {
        let mut sum = 0.0;
        for (index, weight) in after {
            if let Ok(index) = usize::try_from(index - moved) {
                sum += weight * self.below.get(index).copied().unwrap_or(self.total);
            }
        }
        sum / self.total
    }
}
