//! The health check: whether data is accepted, and whether it is stored.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::progress::Progress;
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
    seen: Arc<Mutex<Seen>>,
}

/// The results of the last look.
struct Seen {
    progress: Progress,
    database: Condition,
}

/// The progress of the worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storing {
    Ok,
    Behind,
    Stuck,
}

impl Health {
    pub(super) fn new(queue: QueueHealth, store: Store, limits: HealthLimits) -> Self {
        // The database was opened just now.
        let seen = Seen { progress: Progress::new(Instant::now()), database: Condition::Ok };
        Self { queue, store, limits, seen: Arc::new(Mutex::new(seen)) }
    }

    /// Makes the route of the health check.
    pub(super) fn router(self) -> Router {
        Router::new().route("/healthz", get(answer)).with_state(self)
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

    /// Returns the condition of the queue in a state.
    fn queue_report(&self, state: &str) -> Value {
        let (backlog, damages) = (self.queue.backlog(), self.queue.damages());
        let mut report = json!({ "state": state, "backlog_bytes": backlog, "damages": damages });
        if let Some(waiting) = self.queue.waiting() {
            report["waiting_records"] = waiting.into();
        }
        report
    }

    /// Returns what an outage of RabbitMQ means.
    fn broker_message(&self, now: Instant) -> Option<String> {
        let outage = self.queue.broker_outage()?;
        let (seconds, reason) = (now.duration_since(outage.at).as_secs(), outage.reason);
        Some(format!("RabbitMQ cannot be used for {seconds} s: {reason}. New data waits in the spool of this server."))
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
        let accepts = !is_full && failure.is_none();
        let damages = self.queue.damages();
        let lag_seconds = lag.oldest.as_secs();

        let mut messages = Vec::new();
        if let Some(failure) = &failure {
            messages.push(format!(
                "Data is rejected: {}. Check the free space and the permissions of the data folder.",
                failure.reason
            ));
        }
        if is_full {
            messages.push("Data is rejected: the queue is full, because data is not stored fast enough.".to_owned());
        }
        messages.extend(self.broker_message(now));
        if self.queue.refusal_of_app().is_some_and(is_recent) {
            messages.push(
                "Data of one app is rejected: a quarter of the queue is full of its data. Other apps are not affected."
                    .to_owned(),
            );
        }
        match storing {
            Storing::Ok => {}
            Storing::Behind => messages.push(format!("Data is stored late: the oldest waits for {lag_seconds} s.")),
            Storing::Stuck => messages.push(format!(
                "No data was stored for {} s, although data waits. The log contains the reason.",
                lag.without_progress.as_secs()
            )),
        }
        match database {
            Condition::Ok => {}
            Condition::Missing => messages.push(
                "The file of the database was removed. Data that is stored now is lost: stop the server, restore the \
                 file and start the server again."
                    .to_owned(),
            ),
            Condition::Unavailable => {
                messages.push("The database does not answer. Accepted data waits in the queue.".to_owned());
            }
        }
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
        let body = json!({
            "status": if accepts { "accepting" } else { "rejecting" },
            "storing": storing.name(),
            "lag_seconds": lag_seconds,
            "version": env!("CARGO_PKG_VERSION"),
            "queue": self.queue_report(queue),
            "database": { "state": name(database) },
            "messages": messages,
        });
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
