//! The health check: whether data is accepted, and whether it is stored.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::config::{HealthLimits, Roles, ServerConfig};
use super::probe::{ProbeCondition, ProbeFigures, ProbeState};
use super::progress::{Lag, Progress};
use crate::intake::Disk;
use crate::queue::{Failure, QueueHealth};
use crate::store::{Condition, Store};

/// The time between two looks at the database and at the worker's progress.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time after which a database that does not answer counts as unavailable.
const MAX_ANSWER: Duration = Duration::from_secs(3);

/// The time for which the queue counts as failing after a write that failed, and as full after a body that did not fit.
/// Then it counts as working again: the next body may be accepted, and a proxy that looks at this check must let one
/// pass.
const FAILING: Duration = Duration::from_secs(30);

/// The parts whose condition the health check reports.
#[derive(Clone)]
pub(super) struct Health {
    /// The queue, if this process appends to it or reads it.
    queue: Option<QueueHealth>,
    store: Store,
    limits: HealthLimits,
    roles: Roles,
    /// The disk of the data folder, if this process accepts data.
    disk: Option<Disk>,
    /// The probes, if this process sends some.
    probe: Option<ProbeCondition>,
    seen: Arc<Mutex<Seen>>,
}

/// The results of the last look.
struct Seen {
    progress: Progress,
    database: Condition,
}

/// A question to the health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// Whether data is accepted.
    Accepts,
    /// Whether data is accepted, and stored without delay.
    Stores,
    /// Whether requests should be sent to this process.
    Ready,
}

/// The figures of the queue, the worker, the database and the probes.
#[derive(Clone, Debug)]
pub(super) struct Figures {
    /// How late the worker of this process is, if there is one.
    pub(super) lag: Option<Lag>,
    /// The bytes that wait on the disk of this machine.
    pub(super) backlog: u64,
    /// The records that wait in RabbitMQ, if there is one.
    pub(super) waiting: Option<u64>,
    /// The damaged places that were found in the queue.
    pub(super) damages: u64,
    /// Whether data is accepted, in a process that accepts data.
    pub(super) is_accepting: Option<bool>,
    pub(super) is_database_ok: bool,
    pub(super) is_disk_low: Option<bool>,
    /// The records that are kept in files, since they are larger than RabbitMQ takes, in a process that uses it.
    pub(super) set_aside: Option<u64>,
    /// The results of the probes, if this process sends some.
    pub(super) probe: Option<ProbeFigures>,
}

/// The progress of the worker.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Storing {
    Ok,
    Behind,
    Stuck,
}

impl Health {
    pub(super) fn new(
        queue: Option<QueueHealth>,
        store: Store,
        config: &ServerConfig,
        disk: Option<Disk>,
        probe: Option<ProbeCondition>,
    ) -> Self {
        // The database was opened just now.
        let seen = Seen { progress: Progress::new(Instant::now()), database: Condition::Ok };
        let (limits, roles) = (config.health, config.roles);
        Self { queue, store, limits, roles, disk, probe, seen: Arc::new(Mutex::new(seen)) }
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
            if let Some(queue) = &self.queue {
                seen.progress.observe(queue.ends(), Instant::now());
            }
        }
    }

    /// Returns the figures of the last look.
    pub(super) fn figures(&self) -> Figures {
        let now = Instant::now();
        let (lag, database) = self.look(now);
        let accepting = self.accepting(now);
        let queue = self.queue.as_ref();
        Figures {
            lag,
            backlog: queue.map_or(0, QueueHealth::backlog),
            waiting: queue.and_then(QueueHealth::waiting),
            damages: queue.map_or(0, QueueHealth::damages),
            is_accepting: accepting.as_ref().map(Accepting::is_ok),
            is_database_ok: database == Condition::Ok,
            is_disk_low: accepting.map(|accepting| accepting.is_disk_low),
            set_aside: queue.filter(|queue| queue.waiting().is_some()).map(QueueHealth::set_aside),
            probe: self.probe.as_ref().map(ProbeCondition::figures),
        }
    }

    /// Returns how late the worker of this process is, and the condition of the database.
    fn look(&self, now: Instant) -> (Option<Lag>, Condition) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let worker = self.queue.as_ref().filter(|_| self.roles.worker);
        (worker.map(|queue| seen.progress.observe(queue.ends(), now)), seen.database)
    }

    /// Returns whether intake of this process accepts data.
    fn accepting(&self, now: Instant) -> Option<Accepting> {
        let queue = self.queue.as_ref().filter(|_| self.roles.intake)?;
        Some(Accepting::of(queue, self.disk.as_ref().is_some_and(Disk::is_low), now))
    }

    /// Returns the status, and the condition of each part.
    ///
    /// Each role reports its own parts: intake reports the queue, and the worker reports how late it is.
    fn report(&self, question: Question) -> (StatusCode, Value) {
        let now = Instant::now();
        let (lag, database) = self.look(now);
        let mut messages = Vec::new();
        let mut body = json!({ "version": env!("CARGO_PKG_VERSION"), "database": { "state": name(database) } });
        let accepting = self.accepting(now);
        let accepts = accepting.as_ref().is_none_or(Accepting::is_ok);
        body["status"] = json!(match (&accepting, accepts) {
            (None, _) => "running",
            (Some(_), true) => "accepting",
            (Some(_), false) => "rejecting",
        });
        if let Some(accepting) = &accepting {
            accepting.describe(&mut messages);
            body["queue"] = json!({ "state": accepting.name() });
            body["disk"] = json!({ "state": if accepting.is_disk_low { "low" } else { "ok" } });
        }
        let storing = lag.map(|lag| Storing::of(lag, self.limits));
        if let (Some(lag), Some(storing)) = (lag, storing) {
            storing.describe(lag, &mut messages);
            body["storing"] = json!(storing.name());
            body["lag_seconds"] = json!(lag.oldest.as_secs());
        }
        describe_database(database, &mut messages);
        if let Some(queue) = &self.queue {
            body["queue"]["backlog_bytes"] = json!(queue.backlog());
            body["queue"]["damages"] = json!(queue.damages());
            if let Some(waiting) = queue.waiting() {
                body["queue"]["waiting_records"] = json!(waiting);
            }
            self.describe_queue(queue, now, &mut messages);
        }
        if let Some(probe) = self.probe.as_ref().map(ProbeCondition::figures) {
            body["probe"] = describe_probe(&probe, &mut messages);
        }
        body["messages"] = json!(messages);

        let is_database_ok = database == Condition::Ok;
        let is_well = match question {
            Question::Accepts => accepts,
            Question::Stores => accepts && is_database_ok && storing.is_none_or(|storing| storing == Storing::Ok),
            // Intake is ready without the database. Pages and the worker are of no use without it.
            Question::Ready if self.roles.intake => accepts,
            Question::Ready => is_database_ok && storing != Some(Storing::Stuck),
        };
        let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, body)
    }

    fn describe_queue(&self, queue: &QueueHealth, now: Instant, messages: &mut Vec<String>) {
        if let Some(outage) = queue.broker_outage() {
            let seconds = now.duration_since(outage.at).as_secs();
            let effect = match self.roles.intake {
                true => "New data waits in the spool of this server.",
                false => "Its data is stored when it is back.",
            };
            messages.push(format!("RabbitMQ cannot be used for {seconds} s: {}. {effect}", outage.reason));
        }
        let set_aside = queue.set_aside();
        if set_aside > 0 {
            messages.push(format!(
                "{set_aside} records are larger than RabbitMQ takes. They are kept in the folder spool/too-large. Raise \
                 max_message_size of RabbitMQ, and restart this process."
            ));
        }
        let damages = queue.damages();
        if damages > 0 {
            messages.push(format!(
                "Damage was found in {damages} places of the queue since the start. The disk may be failing."
            ));
        }
    }
}

/// Whether intake accepts data.
struct Accepting {
    failure: Option<Failure>,
    is_full: bool,
    /// Whether the data of one app was refused recently, because it had its part of the queue.
    is_app_full: bool,
    is_disk_low: bool,
}

impl Accepting {
    fn of(queue: &QueueHealth, is_disk_low: bool, now: Instant) -> Self {
        let is_recent = |at: Instant| now.duration_since(at) < FAILING;
        Self {
            failure: queue.failure().filter(|failure| is_recent(failure.at)),
            is_full: queue.is_full() || queue.refusal().is_some_and(is_recent),
            is_app_full: queue.refusal_of_app().is_some_and(is_recent),
            is_disk_low,
        }
    }

    fn is_ok(&self) -> bool {
        self.failure.is_none() && !self.is_full && !self.is_disk_low
    }

    fn name(&self) -> &'static str {
        match (&self.failure, self.is_full) {
            (Some(_), _) => "failing",
            (None, true) => "full",
            (None, false) => "ok",
        }
    }

    fn describe(&self, messages: &mut Vec<String>) {
        if let Some(failure) = &self.failure {
            messages.push(format!(
                "Data is rejected: {}. Check the free space and the permissions of the data folder.",
                failure.reason
            ));
        }
        if self.is_full {
            messages.push("Data is rejected: the queue is full, because data is not stored fast enough.".to_owned());
        }
        if self.is_disk_low {
            messages.push(
                "Data is rejected: the disk of the data folder is almost full. Free or add space, or shorten how long data \
                 is kept."
                    .to_owned(),
            );
        }
        if self.is_app_full {
            messages.push(
                "Data of one app is rejected: a quarter of the queue is full of its data. Other apps are not affected."
                    .to_owned(),
            );
        }
    }
}

impl Storing {
    fn of(lag: Lag, limits: HealthLimits) -> Self {
        match lag {
            lag if lag.without_progress >= limits.stuck => Self::Stuck,
            lag if lag.oldest >= limits.behind => Self::Behind,
            _ => Self::Ok,
        }
    }

    fn describe(self, lag: Lag, messages: &mut Vec<String>) {
        match self {
            Self::Ok => {}
            Self::Behind => {
                messages.push(format!("Data is stored late: the oldest waits for {} s.", lag.oldest.as_secs()));
            }
            Self::Stuck => messages.push(format!(
                "No data was stored for {} s, although data waits. The log contains the reason.",
                lag.without_progress.as_secs()
            )),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Behind => "behind",
            Self::Stuck => "stuck",
        }
    }
}

fn describe_database(database: Condition, messages: &mut Vec<String>) {
    match database {
        Condition::Ok => {}
        Condition::Missing => messages.push(
            "The file of the database is missing. Data with known tokens is accepted, and waits in the queue until \
             the file is back. Restore the file, or start the server once with --create-database to begin with an \
             empty database."
                .to_owned(),
        ),
        Condition::Unavailable => {
            messages.push("The database does not answer. Accepted data waits in the queue.".to_owned());
        }
    }
}

/// Returns the results of the probes.
fn describe_probe(probe: &ProbeFigures, messages: &mut Vec<String>) -> Value {
    let mut body = match probe.state() {
        ProbeState::Waiting => json!({ "state": "waiting" }),
        ProbeState::Ok => json!({ "state": "ok" }),
        ProbeState::Failing(step, reason) => {
            let step = step.name();
            messages.push(format!(
                "The end-to-end probe fails at the step `{step}`: {reason}. Data that is sent now may be visible late."
            ));
            json!({ "state": "failing", "step": step })
        }
    };
    if let Some((visible, at)) = probe.visible.zip(probe.succeeded_at) {
        body["visible_seconds"] = json!(visible.as_secs_f64());
        body["succeeded_seconds_ago"] = json!(SystemTime::now().duration_since(at).unwrap_or_default().as_secs());
    }
    body
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
    let (status, body) = health.report(if is_strict { Question::Stores } else { Question::Accepts });
    (status, Json(body))
}

/// Returns 200 while requests should be sent to this process: to intake while it accepts data, to pages while the database
/// answers.
async fn answer_ready(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let (status, body) = health.report(Question::Ready);
    (status, Json(body))
}
