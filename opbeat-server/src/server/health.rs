//! The health check: whether data is accepted, and whether it is stored.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::progress::{Lag, Progress};
use crate::intake::Disk;
use crate::queue::QueueHealth;
use crate::store::{Condition, Store};

/// The time between two looks at the database and at the worker's progress.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time after which a database that does not answer counts as unavailable.
const MAX_ANSWER: Duration = Duration::from_secs(3);

/// The time for which the queue counts as failing after a write that failed, and as full after a body that did not fit.
/// Then it counts as working again: the next body may be accepted, and a proxy that looks at this check must let one
/// pass.
const FAILING: Duration = Duration::from_secs(30);

/// The times after which the health check reports that data is not stored.
#[derive(Clone, Copy, Debug)]
pub struct HealthLimits {
    /// The age of the oldest data that is not stored at which the worker is behind.
    pub behind: Duration,
    /// The time without progress at which the worker is stuck.
    pub stuck: Duration,
}

impl Default for HealthLimits {
    fn default() -> Self {
        Self { behind: Duration::from_secs(60), stuck: Duration::from_secs(30) }
    }
}

/// The parts whose condition the health check reports.
#[derive(Clone)]
pub(super) struct Health {
    queue: QueueHealth,
    store: Store,
    limits: HealthLimits,
    disk: Disk,
    seen: Arc<Mutex<Seen>>,
}

/// The results of the last look.
struct Seen {
    progress: Progress,
    database: Condition,
}

/// The figures of the queue, the worker and the database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) lag: Lag,
    /// The bytes that wait on the disk of this machine.
    pub(super) backlog: u64,
    /// The records that wait in RabbitMQ, if there is one.
    pub(super) waiting: Option<u64>,
    /// The damaged places that were found in the queue.
    pub(super) damages: u64,
    pub(super) is_accepting: bool,
    pub(super) is_database_ok: bool,
    pub(super) is_disk_low: bool,
}

/// The progress of the worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storing {
    Ok,
    Behind,
    Stuck,
}

impl Health {
    pub(super) fn new(queue: QueueHealth, store: Store, limits: HealthLimits, disk: Disk) -> Self {
        // The database was opened just now.
        let seen = Seen { progress: Progress::new(Instant::now()), database: Condition::Ok };
        Self { queue, store, limits, disk, seen: Arc::new(Mutex::new(seen)) }
    }

    /// Makes the route of the health check.
    pub(super) fn router(self) -> Router {
        Router::new().route("/healthz", get(answer)).route("/readyz", get(answer_ready)).with_state(self)
    }

    /// Looks at the database and at the worker's progress until the server stops. Requests therefore wait for neither.
    pub(super) async fn watch(self, mut stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            let condition = tokio::time::timeout(MAX_ANSWER, self.store.condition()).await;
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.database = condition.unwrap_or(Condition::Unavailable);
            seen.progress.observe(self.queue.ends(), Instant::now());
        }
    }

    /// Returns the figures of the last look.
    pub(super) fn figures(&self) -> Figures {
        let now = Instant::now();
        let (lag, database) = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.progress.observe(self.queue.ends(), now), seen.database)
        };
        Figures {
            lag,
            backlog: self.queue.backlog(),
            waiting: self.queue.waiting(),
            damages: self.queue.damages(),
            is_accepting: self.accepts(now),
            is_database_ok: database == Condition::Ok,
            is_disk_low: self.disk.is_low(),
        }
    }

    /// Returns whether the next body is accepted, as far as the last ones tell.
    fn accepts(&self, now: Instant) -> bool {
        let is_recent = |at: Instant| now.duration_since(at) < FAILING;
        let has_failed = self.queue.failure().is_some_and(|failure| is_recent(failure.at));
        let is_full = self.queue.is_full() || self.queue.refusal().is_some_and(is_recent);
        !is_full && !has_failed && !self.disk.is_low()
    }

    /// Returns why data is rejected or waits outside of the queue, and what to do.
    fn messages_of_intake(&self, now: Instant, failure: Option<&str>, is_full: bool) -> Vec<String> {
        let mut messages = Vec::new();
        if let Some(reason) = failure {
            messages.push(format!(
                "Data is rejected: {reason}. Check the free space and the permissions of the data folder."
            ));
        }
        if is_full {
            messages.push("Data is rejected: the queue is full, because data is not stored fast enough.".to_owned());
        }
        if let Some(outage) = self.queue.broker_outage() {
            let seconds = now.duration_since(outage.at).as_secs();
            messages.push(format!(
                "RabbitMQ cannot be used for {seconds} s: {}. New data waits in the spool of this server.",
                outage.reason
            ));
        }
        if self.disk.is_low() {
            messages.push(
                "Data is rejected: the disk of the data folder is almost full. Free or add space, or shorten how long data \
                 is kept."
                    .to_owned(),
            );
        }
        if self.queue.refusal_of_app().is_some_and(|at| now.duration_since(at) < FAILING) {
            messages.push(
                "Data of one app is rejected: a quarter of the queue is full of its data. Other apps are not affected."
                    .to_owned(),
            );
        }
        messages
    }

    /// Returns the status, and the condition of each part. `is_strict` is whether data must be stored too.
    fn report(&self, is_strict: bool) -> (StatusCode, Value) {
        let now = Instant::now();
        let (lag, database) = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            (seen.progress.observe(self.queue.ends(), now), seen.database)
        };
        let storing = match lag {
            lag if lag.without_progress >= self.limits.stuck => Storing::Stuck,
            lag if lag.oldest >= self.limits.behind => Storing::Behind,
            _ => Storing::Ok,
        };
        let is_recent = |at: Instant| now.duration_since(at) < FAILING;
        let failure = self.queue.failure().filter(|failure| is_recent(failure.at));
        let is_full = self.queue.is_full() || self.queue.refusal().is_some_and(is_recent);
        let is_disk_low = self.disk.is_low();
        let accepts = self.accepts(now);
        let damages = self.queue.damages();
        let lag_seconds = lag.oldest.as_secs();

        let mut messages = self.messages_of_intake(now, failure.as_ref().map(|failure| &*failure.reason), is_full);
        match storing {
            Storing::Ok => {}
            Storing::Behind => messages.push(format!("Data is stored late: the oldest waits for {lag_seconds} s.")),
            Storing::Stuck => messages.push(format!(
                "No data was stored for {} s, although data waits. The log contains the reason.",
                lag.without_progress.as_secs()
            )),
        }
        messages.extend(database_message(database).map(str::to_owned));
        if damages > 0 {
            messages.push(format!(
                "Damage was found in {damages} places of the queue since the start. The disk may be failing."
            ));
        }

        let is_ready = accepts && storing == Storing::Ok && database == Condition::Ok;
        let is_well = if is_strict { is_ready } else { accepts };
        let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let queue = match (&failure, is_full) {
            (Some(_), _) => "failing",
            (None, true) => "full",
            (None, false) => "ok",
        };
        let mut body = json!({
            "status": if accepts { "accepting" } else { "rejecting" },
            "storing": storing.name(),
            "lag_seconds": lag_seconds,
            "version": env!("CARGO_PKG_VERSION"),
            "queue": { "state": queue, "backlog_bytes": self.queue.backlog(), "damages": damages },
            "disk": { "state": if is_disk_low { "low" } else { "ok" } },
            "database": { "state": name(database) },
            "messages": messages,
        });
        if let Some(waiting) = self.queue.waiting() {
            body["queue"]["waiting_records"] = waiting.into();
        }
        (status, body)
    }
}

impl Storing {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Behind => "behind",
            Self::Stuck => "stuck",
        }
    }
}

fn database_message(database: Condition) -> Option<&'static str> {
    match database {
        Condition::Ok => None,
        Condition::Missing => Some(
            "The file of the database is missing. Data with known tokens is accepted, and waits in the queue until the \
             file is back. Restore the file, or start the server once with --create-database to begin with an empty \
             database.",
        ),
        Condition::Unavailable => Some("The database does not answer. Accepted data waits in the queue."),
    }
}

fn name(database: Condition) -> &'static str {
    match database {
        Condition::Ok => "ok",
        Condition::Missing => "missing",
        Condition::Unavailable => "unavailable",
    }
}

/// Returns 200 while data is accepted. With `?ready`, returns 200 while data is accepted and stored.
async fn answer(State(health): State<Health>, RawQuery(query): RawQuery) -> (StatusCode, Json<Value>) {
    let query = query.unwrap_or_default();
    let is_strict = query.split('&').any(|pair| pair.split('=').next() == Some("ready"));
    let (status, body) = health.report(is_strict);
    (status, Json(body))
}

/// Returns 200 while data is accepted and stored, as `/healthz?ready` does.
async fn answer_ready(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let (status, body) = health.report(true);
    (status, Json(body))
}
