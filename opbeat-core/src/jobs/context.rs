//! The origin of a queued job, which travels with it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::record::TraceParent;
use crate::transaction::current;

/// The names of the entries.
const NAMES: [&str; 4] = ["traceparent", "tracestate", "baggage", "queued_at"];

/// A longer `tracestate` or `baggage` is ignored. The specifications ask for at least 512 and 8192 bytes.
const LONGEST_ENTRY: usize = 8192;

/// A job that was queued longer ago has a wrong clock or an invalid time.
const LONGEST_WAIT: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The origin of a queued job: the trace and the baggage of the code that queued it, and the time.
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
    baggage: Option<String>,
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
            baggage: transaction.baggage(),
            queued_at: Some(SystemTime::now()),
        }
    }

    /// Reads the entries `traceparent`, `tracestate`, `baggage` and `queued_at` from a job's headers or metadata.
    #[must_use]
    pub fn from_entries<V: AsRef<str>>(mut entry: impl FnMut(&'static str) -> Option<V>) -> Self {
        Self::parse(NAMES.map(|name| Some(entry(name)?.as_ref().to_owned())))
    }

    fn parse(values: [Option<String>; 4]) -> Self {
        let [trace_parent, trace_state, baggage, queued_at] =
            values.map(|value| value.filter(|value| !value.is_empty() && value.len() <= LONGEST_ENTRY));
        let trace_parent = trace_parent.and_then(|header| TraceParent::parse(&header));
        // The specification allows no `tracestate` without a valid `traceparent`.
        let trace_state = trace_state.filter(|_| trace_parent.is_some());
        let queued_at = queued_at.and_then(|text| {
            let milliseconds = text.trim().parse().ok()?;
            UNIX_EPOCH.checked_add(Duration::from_millis(milliseconds))
        });
        Self { trace_parent, trace_state, baggage, queued_at }
    }

    /// Returns the names and values to put into the job's headers or metadata.
    ///
    /// `queued_at` is the number of milliseconds since 1970.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, String)> + use<> {
        NAMES.into_iter().zip(self.values()).filter_map(|(name, value)| Some((name, value?)))
    }

    /// Returns the values of the entries, in the order of [`NAMES`].
    fn values(&self) -> [Option<String>; 4] {
        let queued_at = self.queued_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        [
            self.trace_parent.map(|parent| parent.to_string()),
            self.trace_state.clone(),
            self.baggage.clone(),
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

    /// Returns the baggage of the code that queued the job.
    #[must_use]
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
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
    baggage: Option<String>,
    queued_at: Option<String>,
}

#[cfg(feature = "serde")]
impl From<Entries> for JobContext {
    fn from(entries: Entries) -> Self {
        let Entries { traceparent, tracestate, baggage, queued_at } = entries;
        Self::parse([traceparent, tracestate, baggage, queued_at])
    }
}

#[cfg(feature = "serde")]
impl From<JobContext> for Entries {
    fn from(context: JobContext) -> Self {
        let [traceparent, tracestate, baggage, queued_at] = context.values();
        Self { traceparent, tracestate, baggage, queued_at }
    }
}
