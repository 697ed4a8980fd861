//! The gate: the limits of the server and of single apps, which are checked before anything is written.
//!
//! ```text
//! token ─► check ─► body ─► take_bytes ─► decode ─► take_events ─► queue
//!           503 429           429                      429
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use opbeat_protocol::Timestamp;

use super::disk::Disk;
use super::limits::IntakeLimits;
use super::quota::{AppLimits, EventCounts, LimitDirectory, day_of, seconds_until_next_day};
use super::rate::{Rate, Rates};
use super::rejection::Rejection;
use crate::changes::BodyChanges;

/// The last sentence of all messages about the limits of an app.
const REMEDY: &str = "An administrator of this server can raise the limit.";

/// The limits, and what apps have used of them. Clones share it.
#[derive(Clone)]
pub(crate) struct Gate {
    limits: IntakeLimits,
    apps: Arc<dyn LimitDirectory>,
    events: Rates,
    bytes: Rates,
    counts: EventCounts,
    disk: Disk,
}

/// The limits that apply to an app.
struct Limits {
    events: Rate,
    bytes: Rate,
    events_per_second: u64,
    bytes_per_second: u64,
    quota: Option<Quota>,
}

/// A number of events in a number of days.
#[derive(Clone, Copy)]
struct Quota {
    events: u64,
    days: u32,
}

/// The events of an app in a request that were accepted.
#[derive(Debug)]
pub(crate) struct Accepted {
    app_id: String,
    /// The day for which they count, since 1970.
    day: i64,
    events: u64,
}

/// The events of an app in a request that were refused.
#[derive(Debug)]
pub(crate) struct RefusedApp {
    /// The number of events.
    pub(crate) events: u64,
    /// The reason. It concerns the app, which can be another one than that of the token.
    pub(crate) rejection: Rejection,
}

impl Gate {
    /// Makes a gate with the limits of all apps, those of single apps, and the events that were counted before.
    pub(crate) fn new(limits: IntakeLimits, apps: Arc<dyn LimitDirectory>, counts: EventCounts, disk: Disk) -> Self {
        Self { limits, apps, events: Rates::default(), bytes: Rates::default(), counts, disk }
    }

    /// Checks before a body is read whether it can be accepted, if its events can be those of any app.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the disk is almost full, or the app of the token has sent too many bytes.
    pub(super) fn check_bytes(&self, app_id: &str) -> Result<(), Rejection> {
        self.disk.check()?;
        self.take_bytes_of(app_id, &self.limits_of(app_id), 0)
    }

    /// Checks before a body is read whether events of the app can be accepted.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the disk is almost full, or the app has used up one of its limits.
    pub(super) fn check(&self, app_id: &str) -> Result<(), Rejection> {
        self.check_bytes(app_id)?;
        let limits = self.limits_of(app_id);
        self.take_events_of(app_id, &limits, 0)?;
        match limits.quota {
            Some(quota) => {
                let second = now();
                let used = self.counts.sum(app_id, day_of(second), quota.days);
                if used < quota.events { Ok(()) } else { Err(quota.used_up(second)) }
            }
            None => Ok(()),
        }
    }

    /// Counts the bytes of a body that was read.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the app has sent too many bytes, among them those of bodies that were read at the same time.
    pub(super) fn take_bytes(&self, app_id: &str, bytes: usize) -> Result<(), Rejection> {
        self.take_bytes_of(app_id, &self.limits_of(app_id), bytes as u64)
    }

    /// Counts the events of a decoded body.
    ///
    /// # Errors
    ///
    /// Returns a rejection if the app has sent too many events.
    pub(super) fn take_events(&self, app_id: &str, events: u64) -> Result<Accepted, Rejection> {
        let second = now();
        let accepted = Accepted { app_id: app_id.to_owned(), day: day_of(second), events };
        if events > 0 {
            let limits = self.limits_of(app_id);
            self.take_events_of(app_id, &limits, events)?;
            if let Some(quota) = limits.quota
                && !self.counts.add(app_id, events, (accepted.day, quota.days), quota.events)
            {
                return Err(quota.used_up(second));
            }
        }
        Ok(accepted)
    }

    /// Counts the events of a request that has data of several apps. Removes the data of those that sent too many.
    pub(crate) fn take_each(&self, bodies: &mut Vec<BodyChanges>) -> (Vec<Accepted>, Vec<RefusedApp>) {
        let mut events: BTreeMap<&str, u64> = BTreeMap::new();
        for body in bodies.iter().filter(|body| body.usage.events > 0) {
            *events.entry(&body.app_id).or_default() += body.usage.events;
        }
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (app_id, events) in events {
            match self.take_events(app_id, events) {
                Ok(taken) => accepted.push(taken),
                Err(rejection) => {
                    let rejection = Rejection { app_id: app_id.to_owned(), ..rejection };
                    refused.push(RefusedApp { events, rejection });
                }
            }
        }
        bodies.retain(|body| refused.iter().all(|refused| refused.rejection.app_id != body.app_id));
        (accepted, refused)
    }

    /// Takes back events that could not be stored.
    pub(super) fn give_back(&self, accepted: &Accepted) {
        self.counts.take_back(&accepted.app_id, accepted.day, accepted.events);
    }

    fn take_events_of(&self, app_id: &str, limits: &Limits, events: u64) -> Result<(), Rejection> {
        self.events.take(app_id, limits.events, events).map_err(|wait| {
            let rate = limits.events_per_second;
            too_many("event_rate", &format!("This app sends more than {rate} events a second."), wait)
        })
    }

    fn take_bytes_of(&self, app_id: &str, limits: &Limits, bytes: u64) -> Result<(), Rejection> {
        self.bytes.take(app_id, limits.bytes, bytes).map_err(|wait| {
            let rate = limits.bytes_per_second;
            too_many("byte_rate", &format!("This app sends more than {rate} bytes a second."), wait)
        })
    }

    fn limits_of(&self, app_id: &str) -> Limits {
        let AppLimits { events_per_second, bytes_per_second, quota_events, quota_days } = self.apps.limits_of(app_id);
        let events_per_second = events_per_second.unwrap_or(self.limits.events_per_second);
        let bytes_per_second = bytes_per_second.unwrap_or(self.limits.bytes_per_second);
        let days = quota_days.unwrap_or(self.limits.quota_days);
        Limits {
            events: Rate::with_time(events_per_second, self.limits.rate_burst),
            bytes: Rate::with_time(bytes_per_second, self.limits.rate_burst),
            events_per_second,
            bytes_per_second,
            quota: quota_events.or(self.limits.quota_events).map(|events| Quota { events, days }),
        }
    }
}

impl Quota {
    fn used_up(self, second: i64) -> Rejection {
        let Self { events, days } = self;
        let wait = Duration::from_secs(seconds_until_next_day(second).into());
        let days = if days <= 1 { "day".to_owned() } else { format!("{days} days") };
        too_many("quota", &format!("This app has used up its quota of {events} events in {days}."), wait)
    }
}

/// Returns the rejection of a body that exceeds a limit of its app for some time.
pub(super) fn too_many(reason: &'static str, message: &str, wait: Duration) -> Rejection {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
    let message = format!("{message} Send the data again after {seconds} s, or send less. {REMEDY}");
    let rejection = Rejection::new(StatusCode::TOO_MANY_REQUESTS, message);
    Rejection { reason, retry_after: Some(seconds), ..rejection }
}

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).seconds()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};

    use super::*;

    /// The limits of apps that a test sets.
    #[derive(Default)]
    struct Apps(Mutex<HashMap<&'static str, AppLimits>>);

    impl LimitDirectory for Apps {
        fn limits_of(&self, app_id: &str) -> AppLimits {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get(app_id).copied().unwrap_or_default()
        }
    }

    fn gate(change: impl FnOnce(&mut IntakeLimits)) -> (Gate, Arc<Apps>) {
        let mut limits = IntakeLimits::default();
        change(&mut limits);
        let apps = Arc::new(Apps::default());
        let disk = Disk::open(&std::env::temp_dir(), Some(0));
        (Gate::new(limits, apps.clone(), EventCounts::default(), disk), apps)
    }

    fn reason(result: Result<impl std::fmt::Debug, Rejection>) -> &'static str {
        result.unwrap_err().reason
    }

    #[test]
    fn the_defaults_let_the_benchmarks_pass() {
        let (gate, _) = gate(|_| {});
        gate.take_events("shop", 50_000).unwrap();
        gate.take_bytes("shop", 16 << 20).unwrap();
        gate.check("shop").unwrap();
    }

    #[test]
    fn limits_of_an_app_replace_those_of_the_server() {
        let (gate, apps) = gate(|limits| limits.events_per_second = 0);
        gate.take_events("shop", 1).unwrap();
        assert_eq!(reason(gate.take_events("shop", 1)), "event_rate");
        let own = AppLimits { events_per_second: Some(1_000_000_000), quota_events: Some(1), ..AppLimits::default() };
        apps.0.lock().unwrap().insert("other", own);
        gate.take_events("other", 1).unwrap();
        assert_eq!(reason(gate.take_events("other", 1)), "quota");
        assert_eq!(reason(gate.check("other")), "quota");
    }

    #[test]
    fn events_that_could_not_be_stored_do_not_count() {
        let (gate, _) = gate(|limits| limits.quota_events = Some(2));
        let accepted = gate.take_events("shop", 2).unwrap();
        assert_eq!(reason(gate.check("shop")), "quota");
        gate.give_back(&accepted);
        gate.take_events("shop", 2).unwrap();
    }

    #[test]
    fn waits_are_rounded_up_to_seconds() {
        let seconds = |millis| too_many("quota", "", Duration::from_millis(millis)).retry_after;
        assert_eq!([0, 1, 1_000, 1_001].map(seconds), [Some(1), Some(1), Some(1), Some(2)]);
    }
}
