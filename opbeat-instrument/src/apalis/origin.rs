//! The trace and the time of a queued task, in its metadata.

use std::convert::Infallible;

use apalis_core::task::metadata::{Metadata, MetadataStore};
use opbeat_core::jobs::JobContext;
use opbeat_core::record::TraceParent;

/// The key under which apalis stores its own `TracingContext`.
const TRACING_CONTEXT: &str = "apalis_core.tracing.context";

/// The trace of the code that queues a task, and the time, as metadata of the task.
///
/// A task without it is a trace of its own, and its time in the queue is known only if it was scheduled.
#[derive(Clone, Debug, Default)]
pub struct TaskOrigin(pub(super) JobContext);

impl TaskOrigin {
    /// Returns the origin of a task that the running code queues now.
    #[must_use]
    pub fn current() -> Self {
        Self(JobContext::current())
    }
}

/// Both operations never fail: apalis panics if metadata cannot be added.
impl Metadata for TaskOrigin {
    type Error = Infallible;

    /// Reads the origin. Without one, it reads the trace that apalis stores for OpenTelemetry.
    fn extract(store: &MetadataStore) -> Result<Self, Infallible> {
        let theirs = store.get(TRACING_CONTEXT).and_then(trace_parent);
        let entry = |name| match name {
            "traceparent" => store.get(name).map(str::to_owned).or_else(|| theirs.map(|parent| parent.to_string())),
            _ => store.get(name).map(str::to_owned),
        };
        Ok(Self(JobContext::from_entries(entry)))
    }

    fn inject(&self, store: &mut MetadataStore) -> Result<(), Infallible> {
        for (name, value) in self.0.entries() {
            store.remove(name);
            // The only error is that the key exists.
            let _ = store.insert(name, value);
        }
        Ok(())
    }
}

/// Parses the form `<trace id>;<span id>;<flags as a decimal number>;<trace state>`.
fn trace_parent(text: &str) -> Option<TraceParent> {
    let mut parts = text.splitn(4, ';');
    let (trace_id, parent_id) = (parts.next()?, parts.next()?);
    let flags: u8 = parts.next()?.parse().unwrap_or_default();
    TraceParent::parse(&format!("00-{trace_id}-{parent_id}-{flags:02x}"))
}
