//! Rates: how much each app may send in a second.
//!
//! Each app has a bucket of permits, which is full at first and is filled at a steady rate. A body takes all of its
//! permits if one is left. It can therefore be larger than the bucket, which then owes permits: the next bodies wait until
//! they are paid, and the rate holds over time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest time that a sender is asked to wait.
const MAX_WAIT: Duration = Duration::from_secs(3_600);

/// The number of buckets above which full ones are removed.
const MIN_CLEANED: usize = 1_024;

/// A number of permits for each second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    per_second: f64,
    /// The largest number of permits that are saved up.
    burst: f64,
}

impl Rate {
    /// Makes a rate of `per_second` permits a second, of which `burst` are saved up.
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: per_second.into(), burst: burst.into() }
    }

    /// Makes a rate of `per_second` permits a second, of which those of some time are saved up, but at least one.
    pub(super) fn with_time(per_second: u64, time: Duration) -> Self {
        let per_second = per_second as f64;
        Self { per_second, burst: (per_second * time.as_secs_f64()).max(1.0) }
    }
}

/// The buckets of the apps.
#[derive(Clone, Default)]
pub(super) struct Rates {
    buckets: Arc<Mutex<Buckets>>,
}

#[derive(Default)]
struct Buckets {
    by_app: HashMap<String, Bucket>,
    /// The number of buckets above which full ones are removed next.
    cleaned_above: usize,
}

struct Bucket {
    rate: Rate,
    /// The number of permits, which is negative while the app owes some.
    permits: f64,
    /// The time for which they were counted.
    at: Instant,
}

impl Bucket {
    fn fill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.permits = (self.permits + passed * self.rate.per_second).min(self.rate.burst);
        self.at = now;
    }
}

impl Rates {
    /// Takes `count` permits of an app, if at least one is left. With a count of 0, only checks that one is left.
    ///
    /// # Errors
    ///
    /// Returns the time until a permit is left.
    pub(super) fn take(&self, app_id: &str, rate: Rate, count: u64) -> Result<(), Duration> {
        self.take_at(app_id, rate, count, Instant::now())
    }

    fn take_at(&self, app_id: &str, rate: Rate, count: u64, now: Instant) -> Result<(), Duration> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.by_app.contains_key(app_id) {
            buckets.add(app_id, Bucket { rate, permits: rate.burst, at: now });
        }
        let Some(bucket) = buckets.by_app.get_mut(app_id) else { return Ok(()) };
        // The rate of an app can be changed while the server runs.
        bucket.rate = rate;
        bucket.fill(now);
        if bucket.permits < 1.0 {
            let wait = Duration::try_from_secs_f64((1.0 - bucket.permits) / rate.per_second);
            return Err(wait.map_or(MAX_WAIT, |wait| wait.min(MAX_WAIT)));
        }
        bucket.permits -= count as f64;
        Ok(())
    }
}

impl Buckets {
    /// Adds the bucket of an app. Now and then, removes full ones, which say no more than none.
    fn add(&mut self, app_id: &str, bucket: Bucket) {
        if self.by_app.len() >= self.cleaned_above.max(MIN_CLEANED) {
            let now = bucket.at;
            self.by_app.retain(|_, bucket| {
                bucket.fill(now);
                bucket.permits < bucket.rate.burst
            });
            self.cleaned_above = 2 * self.by_app.len();
        }
        self.by_app.insert(app_id.to_owned(), bucket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes permits at a time in milliseconds. Returns the time to wait in milliseconds if they are refused.
    fn taker(rate: Rate) -> impl Fn(&str, u64, u64) -> Option<u128> {
        let (rates, start) = (Rates::default(), Instant::now());
        move |app, count, at| {
            let taken = rates.take_at(app, rate, count, start + Duration::from_millis(at));
            taken.err().map(|wait| wait.as_millis())
        }
    }

    #[test]
    fn an_app_gets_a_burst_and_then_a_steady_rate() {
        let take = taker(Rate::new(10, 3));
        assert_eq!([0, 0, 0, 0].map(|at| take("shop", 1, at)), [None, None, None, Some(100)]);
        assert_eq!([50, 100, 110].map(|at| take("shop", 1, at)), [Some(50), None, Some(90)]);
        assert_eq!(take("other", 1, 110), None, "each app has its own permits");
        assert_eq!(
            [60_000; 4].map(|at| take("shop", 1, at)),
            [None, None, None, Some(100)],
            "permits are not saved up"
        );
    }

    #[test]
    fn a_body_larger_than_the_bucket_is_accepted_and_paid_by_waiting() {
        let take = taker(Rate::with_time(10, Duration::from_secs(5)));
        assert_eq!(take("shop", 150, 0), None);
        assert_eq!(take("shop", 0, 0), Some(10_100), "a hundred permits are owed, and one must be left");
        assert_eq!(take("shop", 1, 10_000), Some(100));
        assert_eq!(take("shop", 1, 10_100), None);
    }

    #[test]
    fn without_a_rate_only_the_burst_is_accepted() {
        let take = taker(Rate::with_time(0, Duration::from_secs(5)));
        assert_eq!([take("shop", 1, 0), take("shop", 1, 60_000)], [None, Some(MAX_WAIT.as_millis())]);
    }

    #[test]
    fn full_buckets_are_removed() {
        let (rates, rate, start) = (Rates::default(), Rate::new(1, 1), Instant::now());
        for app in 0..10 * MIN_CLEANED {
            let at = start + Duration::from_secs(app as u64);
            rates.take_at(&app.to_string(), rate, 1, at).unwrap();
        }
        let kept = rates.buckets.lock().unwrap().by_app.len();
        assert!(kept <= MIN_CLEANED, "{kept}");
    }
}
