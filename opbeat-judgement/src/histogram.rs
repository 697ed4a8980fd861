//! Counts of durations in buckets whose bounds grow by a constant factor.
//!
//! The buckets are those of *DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees*
//! (Masson, Rim & Lee; VLDB 2019) with a relative error of 1 %: bucket `i` contains the values in (γ^(i−1), γ^i]
//! milliseconds, γ = 1.01 / 0.99. Division of all durations by a factor is a move of the buckets.

/// The natural logarithm of γ: the width of a bucket on the logarithmic scale.
pub(crate) const WIDTH: f64 = 0.020_000_666_706_669_52;

/// The logarithm of a bucket's middle relative to its upper bound, in which both bounds have the same relative error.
const MIDDLE: f64 = -0.010_050_335_853_501_44;

/// The bucket of a nanosecond. Lower buckets count as this one.
const FIRST_BUCKET: i32 = -691;

/// The bucket of about 31 years. Higher buckets count as this one.
const LAST_BUCKET: i32 = 1_382;

/// Returns the logarithm of the duration, in milliseconds, that stands for a bucket.
pub(crate) fn log_of(bucket: f64) -> f64 {
    bucket * WIDTH + MIDDLE
}

/// Counts of durations by bucket: the sum of any number of requests.
///
/// It holds at most 2,074 buckets, whatever is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    buckets: Vec<(i32, u64)>,
}

impl Histogram {
    /// Counts durations in milliseconds. NaN and negative durations count as the shortest.
    #[must_use]
    pub fn of_durations(milliseconds: impl IntoIterator<Item = f64>) -> Self {
        milliseconds.into_iter().map(|value| (bucket_of(value), 1)).collect()
    }

    /// Returns the number of durations. It saturates at `u64::MAX`.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |all, (_, count)| all.saturating_add(*count))
    }

    /// Returns the buckets that are not empty, in ascending order.
    pub fn buckets(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.buckets.iter().copied()
    }
}

impl FromIterator<(i32, u64)> for Histogram {
    /// Collects buckets and their counts, in any order. Counts of equal buckets are added.
    fn from_iter<I: IntoIterator<Item = (i32, u64)>>(counts: I) -> Self {
        let mut buckets: Vec<(i32, u64)> = Vec::new();
        let mut is_sorted = true;
        for (bucket, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            let bucket = bucket.clamp(FIRST_BUCKET, LAST_BUCKET);
            match buckets.last_mut() {
                Some((last, total)) if *last == bucket => *total = total.saturating_add(count),
                last => {
                    is_sorted &= last.is_none_or(|(last, _)| *last < bucket);
                    buckets.push((bucket, count));
                }
            }
        }
        if !is_sorted {
            buckets.sort_unstable_by_key(|(bucket, _)| *bucket);
            buckets.dedup_by(|later, earlier| {
                let is_equal = later.0 == earlier.0;
                if is_equal {
                    earlier.1 = earlier.1.saturating_add(later.1);
                }
                is_equal
            });
        }
        Self { buckets }
    }
}

fn bucket_of(milliseconds: f64) -> i32 {
    // A cast of NaN gives 0, and casts of large values saturate.
    if milliseconds > 0.0 {
        ((milliseconds.ln() / WIDTH).ceil() as i32).clamp(FIRST_BUCKET, LAST_BUCKET)
    } else {
        FIRST_BUCKET
    }
}
