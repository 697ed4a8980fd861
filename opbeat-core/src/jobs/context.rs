//! The origin of a queued job, which travels with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::record::TraceParent;
use crate::transaction::current;

const TRACE_PARENT: &str = "traceparent";
const TRACE_STATE: &str = "tracestate";
const QUEUED_AT: &str = "queued_at";

/// A longer `tracestate` is ignored. The specification asks for at least 512 bytes.
const LONGEST_TRACE_STATE: usize = 4096;

/// A job that was queued longer ago has a wrong clock or an invalid time.
const LONGEST_WAIT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The origin of a queued job: the trace of the code that queued it, and the time.
///
/// It is made where the job is queued, travels in the job's headers or payload, and is given to
/// [`Job::queued_by`](super::Job::queued_by) where the job runs. With the feature `serde` it can be a field of a
/// payload; otherwise, its [`entries`](Self::entries) are a small map of strings. Invalid entries are ignored: a job
/// without a valid `traceparent` starts a trace of its own.
///
/// # Examples
///
/// ```
/// use std::collections::HashMap;
/// use opbeat_core::jobs::JobContext;
///
/// let headers: HashMap<&str, String> = JobContext::current().entries().collect();
/// let received = JobContext::from_entries(|name| headers.get(name));
/// assert!(received.queued_at().is_some());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(from = "Entries", into = "Entries"))]
pub struct JobContext {
    trace_parent: Option<TraceParent>,
    trace_state: Option<String>,
    queued_at: Option<SystemTime>,
}

impl JobContext {
    /// Returns the context of a job that the running code queues now.
    #[must_use]
    pub fn current() -> Self {
        let transaction = current();
        Self {
            trace_parent: transaction.trace_parent(),
            trace_state: transaction.trace_state(),
            queued_at: Some(SystemTime::now()),
        }
    }

    /// Reads the entries `traceparent`, `tracestate` and `queued_at` from a job's headers or metadata.
    #[must_use]
    pub fn from_entries<V: AsRef<str>>(mut entry: impl FnMut(&'static str) -> Option<V>) -> Self {
        let mut read = |name| entry(name).map(|value| value.as_ref().to_owned());
        Self::parse(read(TRACE_PARENT), read(TRACE_STATE), read(QUEUED_AT))
    }

    fn parse(trace_parent: Option<String>, trace_state: Option<String>, queued_at: Option<String>) -> Self {
        let trace_parent = trace_parent.and_then(|header| TraceParent::parse(&header));
        // The specification allows no `tracestate` without a valid `traceparent`.
        let trace_state = trace_state
            .filter(|state| trace_parent.is_some() && !state.is_empty() && state.len() <= LONGEST_TRACE_STATE);
        let queued_at = queued_at.and_then(|text| {
            let milliseconds = text.trim().parse().ok()?;
            UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
        });
        Self { trace_parent, trace_state, queued_at }
    }

    /// Returns the names and values to put into the job's headers or metadata.
    ///
    /// `queued_at` is the number of milliseconds since 1970.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        let [parent, state, queued] = self.values();
        let named = [(TRACE_PARENT, parent), (TRACE_STATE, state), (QUEUED_AT, queued)];
        named.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    fn values(&self) -> [Option<String>; 3] {
        let queued_at = self.queued_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        [
            self.trace_parent.map(|parent| parent.to_string()),
            self.trace_state.clone(),
            queued_at.map(|since| since.as_millis().to_string()),
        ]
    }

    /// Returns the trace of the code that queued the job.
    #[must_use]
    pub fn trace_parent(&self) -> Option<TraceParent> {
        self.trace_parent
    }

    /// Returns the `tracestate` of the code that queued the job.
    #[must_use]
    pub fn trace_state(&self) -> Option<&str> {
        self.trace_state.as_deref()
    }

    /// Returns the time at which the job was queued.
    #[must_use]
    pub fn queued_at(&self) -> Option<SystemTime> {
        self.queued_at
    }
}

/// Returns the time from `queued_at` to now. A time in the future, or more than 400 days ago, is ignored.
pub(super) fn waited_since(queued_at: SystemTime) -> Option<Duration> {
    queued_at.elapsed().ok().filter(|waited| *waited < LONGEST_WAIT)
}

/// The serialised form.
#[cfg(feature = "serde")]
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Entries {
    traceparent: Option<String>,
    tracestate: Option<String>,
    queued_at: Option<String>,
}

#[cfg(feature = "serde")]
impl From<Entries> for JobContext {
    fn from(entries: Entries) -> Self {
        Self::parse(entries.traceparent, entries.tracestate, entries.queued_at)
    }
}

#[cfg(feature = "serde")]
impl From<JobContext> for Entries {
    fn from(context: JobContext) -> Self {
        let [traceparent, tracestate, queued_at] = context.values();
        Self { traceparent, tracestate, queued_at }
    }
}
