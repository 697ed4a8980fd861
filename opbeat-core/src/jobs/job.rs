//! A job that is about to run.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use super::context::{JobContext, waited_since};
use super::output::JobOutput;
use crate::agent::Agent;
use crate::pipeline::Recorder;
use crate::record::TransactionName;
use crate::transaction::{Active, CurrentTransaction, Transaction};

/// A job that is about to run as a transaction, from [`Agent::job`](crate::Agent::job).
///
/// # Examples
///
/// ```
/// use opbeat_core::jobs::JobContext;
/// # use opbeat_core::{Agent, Config};
/// # use opbeat_testing::MemoryExporter;
/// # let agent = Agent::with_exporter(&Config::default(), MemoryExporter::default());
/// # let headers = std::collections::HashMap::<&str, String>::new();
/// let origin = JobContext::from_entries(|name| headers.get(name));
/// let sent = agent.job("shop.mail").runner("mailq").queued_by(&origin).attempt(2).max_attempts(5).call(|| {
///     "3".parse::<u32>()
/// });
/// assert_eq!(sent, Ok(3));
/// ```
#[must_use = "a job runs in `run`, `call` or `begin`"]
pub struct Job {
    recorder: Option<Recorder>,
    name: TransactionName,
    kind: Cow<'static, str>,
    context: JobContext,
    queued_at: Option<SystemTime>,
    attempt: Option<u32>,
    max_attempts: Option<u32>,
}

impl Agent {
    /// Returns a job of this name, which [`run`](Job::run) or [`call`](Job::call) runs as a transaction.
    ///
    /// Jobs are grouped by their names. Use few different names, and no ids in them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use opbeat_core::Agent;
    /// # async fn send_all() -> Result<u32, std::io::Error> { Ok(3) }
    /// # async fn work(agent: Agent) -> std::io::Result<()> {
    /// let sent = agent.job("shop.newsletter").run(send_all()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn job(&self, name: impl Into<TransactionName>) -> Job {
        Job {
            recorder: self.recorder().cloned(),
            name: name.into(),
            kind: Cow::Borrowed("task.job"),
            context: JobContext::default(),
            queued_at: None,
            attempt: None,
            max_attempts: None,
        }
    }
}

/// Facts about the job.
impl Job {
    /// Sets the name of the job runner. The transaction's kind is `task.<runner>`, or `task.job` without a runner.
    pub fn runner(mut self, runner: &str) -> Self {
        self.kind = Cow::Owned(format!("task.{runner}"));
        self
    }

    /// Sets the context that the job was queued with: its trace, and the start of its time in the queue.
    pub fn queued_by(mut self, context: &JobContext) -> Self {
        self.context = context.clone();
        self.queued_at = context.queued_at().or(self.queued_at);
        self
    }

    /// Sets the time from which the job waited: when it was queued, or when it was due.
    ///
    /// The transaction shows the time since then. A time in the future, or more than 400 days ago, is ignored.
    pub fn queued_at(mut self, time: SystemTime) -> Self {
        self.queued_at = Some(time);
        self
    }

    /// Sets the number of this attempt, from 1.
    ///
    /// The transaction and its errors show it as `attempt`. The errors of all attempts are one group.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// Sets the number of attempts after which the job is given up.
    ///
    /// The transaction and its errors show it as `max_attempts`, and the last attempt as `final`.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }
}

/// The run.
impl Job {
    /// Runs a future as a transaction, which begins when this one is first polled.
    ///
    /// The result is `ok`, or `failed` if the output is an error, which is reported with its chain of sources. A panic
    /// is reported and continues, and the result is `panicked`. If the returned future is dropped, it is `cancelled`.
    pub async fn run<Kind, F: Future<Output: JobOutput<Kind>>>(self, future: F) -> F::Output {
        let transaction = self.begin();
        let output = transaction.wrap(future).await;
        transaction.finish(&output);
        output
    }

    /// Calls a closure as a transaction: for code without `async`. Otherwise it works like [`run`](Self::run).
    pub fn call<Kind, T: JobOutput<Kind>>(self, work: impl FnOnce() -> T) -> T {
        let transaction = self.begin();
        let output = transaction.run(work);
        transaction.finish(&output);
        output
    }

    pub(super) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// Begins the transaction: for adapters to job runners, which end it with
    /// [`finish`](crate::Transaction::finish).
    pub fn begin(self) -> Transaction {
        let begin = |recorder: &Recorder| Active::begin(recorder, self.kind.clone(), |_| ());
        let transaction = Transaction::new(CurrentTransaction { active: self.recorder.as_ref().map(begin) });
        if !transaction.is_recording() {
            return transaction;
        }
        transaction.set_name(self.name);
        transaction.set_trace_parent(self.context.trace_parent());
        transaction.set_trace_state(self.context.trace_state().unwrap_or_default());
        if let Some(baggage) = self.context.baggage() {
            transaction.set_baggage(baggage);
        }
        transaction.set_queued(self.queued_at.and_then(waited_since));
        if let Some(attempt) = self.attempt {
            transaction.set_extra("attempt", attempt);
        }
        if let Some(max_attempts) = self.max_attempts {
            transaction.set_extra("max_attempts", max_attempts);
            if self.attempt.is_some_and(|attempt| attempt >= max_attempts) {
                transaction.set_extra("final", true);
            }
        }
        transaction
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}
