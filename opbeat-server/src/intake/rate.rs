//! The rate at which each app accepts requests without a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// A bucket of permits for each app: full at first, and filled at a steady rate.
#[derive(Clone)]
pub(super) struct Rates {
    per_second: f64,
    burst: f64,
    /// The permits of each app, and the time for which they were counted.
    apps: Arc<Mutex<HashMap<String, (f64, Instant)>>>,
}

impl Rates {
    pub(super) fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: per_second.into(), burst: burst.into(), apps: Arc::default() }
    }

    /// Takes a permit of an app. Returns false if no permit is left.
    ///
    /// It must be called with the ids of existing apps only, so that the number of buckets is bounded.
    pub(super) fn take(&self, app_id: &str) -> bool {
        self.take_at(app_id, Instant::now())
    }

    fn take_at(&self, app_id: &str, now: Instant) -> bool {
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        if !apps.contains_key(app_id) {
            apps.insert(app_id.to_owned(), (self.burst, now));
        }
        let Some((permits, at)) = apps.get_mut(app_id) else { return false };
        *permits = (*permits + now.saturating_duration_since(*at).as_secs_f64() * self.per_second).min(self.burst);
        *at = now;
        let is_permitted = *permits >= 1.0;
        if is_permitted {
            *permits -= 1.0;
        }
        is_permitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_app_gets_a_burst_and_then_a_steady_rate() {
        let (rates, start) = (Rates::new(10, 3), Instant::now());
        let taken = |app: &str, at: u64| rates.take_at(app, start + Duration::from_millis(at));
        assert_eq!([0, 0, 0, 0].map(|at| taken("shop", at)), [true, true, true, false]);
        assert_eq!([50, 100, 110].map(|at| taken("shop", at)), [false, true, false]);
        assert!(taken("other", 110), "each app has its own permits");
        assert_eq!([60_000; 4].map(|at| taken("shop", at)), [true, true, true, false], "permits are not saved up");
    }
}
