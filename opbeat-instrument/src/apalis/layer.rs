//! The layer for workers, which begins a transaction for each task.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::task::{Context, Poll};
use std::time::{Duration, UNIX_EPOCH};

use apalis_core::error::BoxDynError;
use apalis_core::task::Task;
use apalis_core::task::metadata::Metadata;
use apalis_core::worker::context::WorkerContext;
use opbeat_core::record::TransactionName;
use opbeat_core::{Agent, Transaction};
use tower_layer::Layer;
use tower_service::Service;

use super::origin::TaskOrigin;
use super::run::MonitoredTask;

/// A layer for workers of apalis that records each run of a task as a transaction of the kind `task.apalis`.
///
/// | property | value |
/// |---|---|
/// | name | the type of the task's arguments; the worker's name if that is a type of the standard library |
/// | result | `ok`, `failed`, `panicked`, or `cancelled` if the worker drops the task |
/// | extra values | `attempt`, `max_attempts` and `final`; `worker`, `queue` and `task_id` |
/// | time in the queue | since the task was queued with a [`TaskOrigin`], or since it was due if that is later |
/// | trace | that of the [`TaskOrigin`], or of apalis's own `TracingContext` |
///
/// Add it after `.retry(…)`, so that each attempt is a transaction of its own. If it is added before, one transaction
/// covers all attempts, and its `attempt` is their number.
#[derive(Clone)]
pub struct OpbeatTasks {
    agent: Agent,
    name: Option<Cow<'static, str>>,
}

impl OpbeatTasks {
    /// Makes a layer that records with an agent.
    #[must_use]
    pub fn new(agent: &Agent) -> Self {
        Self { agent: agent.clone(), name: None }
    }

    /// Sets the name of all transactions of the worker.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = Some(name.into());
        self
    }

    fn begin<Args>(&self, task: &Task<Args>) -> Transaction {
        let worker = task.data().get::<WorkerContext>().map(WorkerContext::name);
        let name = self.name.clone().unwrap_or_else(|| name_of::<Args>(worker));
        let Ok(TaskOrigin(origin)) = TaskOrigin::extract(task.metadata());
        let due = task.run_at().and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        let mut job = self.agent.job(TransactionName::Name(name)).runner("apalis").queued_by(&origin);
        // A task may be queued long before it is due.
        if let Some(since) = due.max(origin.queued_at()) {
            job = job.queued_at(since);
        }
        if let Some(max_attempts) = task.max_attempts() {
            job = job.max_attempts(saturated(max_attempts));
        }
        // apalis counts an attempt when it is first polled.
        let transaction = job.attempt(saturated(task.attempt()).saturating_add(1)).begin();
        if transaction.is_recording() {
            let id = task.task_id().map(ToString::to_string);
            let values = [
                ("worker", worker.map(str::to_owned)),
                ("queue", task.queue().map(ToString::to_string)),
                ("task_id", id),
            ];
            for (key, value) in values {
                if let Some(value) = value {
                    transaction.set_extra(key, value);
                }
            }
        }
        transaction
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Returns the type of the arguments, unless it says nothing about the task, as `alloc::string::String` does.
fn name_of<Args>(worker: Option<&str>) -> Cow<'static, str> {
    const FOREIGN: [&str; 4] = ["alloc::", "core::", "std::", "serde_json::"];
    let full = type_name::<Args>();
    let is_own = full.starts_with(char::is_alphabetic)
        && full.contains("::")
        && !FOREIGN.iter().any(|module| full.starts_with(module));
    match worker {
        Some(worker) if !is_own => worker.to_owned().into(),
        _ => full.into(),
    }
}

impl<S> Layer<S> for OpbeatTasks {
    type Service = MonitoredTasks<S>;

    fn layer(&self, inner: S) -> MonitoredTasks<S> {
        MonitoredTasks { layer: self.clone(), inner }
    }
}

/// The service of [`OpbeatTasks`].
#[derive(Clone, Debug)]
pub struct MonitoredTasks<S> {
    layer: OpbeatTasks,
    inner: S,
}

impl<S, Args> Service<Task<Args>> for MonitoredTasks<S>
where
    S: Service<Task<Args>, Error: Into<BoxDynError>>,
{
    type Response = S::Response;
    type Error = BoxDynError;
    type Future = MonitoredTask<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, task: Task<Args>) -> MonitoredTask<S::Future> {
        let transaction = self.layer.begin(&task);
        let attempts = task.raw_attempt().clone();
        let future = transaction.run(|| self.inner.call(task));
        MonitoredTask::new(transaction, attempts, future)
    }
}

impl fmt::Debug for OpbeatTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpbeatTasks").field("name", &self.name).finish_non_exhaustive()
    }
}
