//! The adapter: turns a job into a recorded job.

use opbeat_core::Agent;
use opbeat_core::record::TraceParent;

use crate::Job;

/// The kind of the transactions. The part after the dot is the runner's name.
const KIND: &str = "task.runner";

/// Records a job as a transaction, which begins when the job starts, not when it is queued.
///
/// Panics need no code here: the agent's hook reports them. A transaction that is dropped before its end counts as
/// panicked while a panic unwinds, and as cancelled otherwise.
#[must_use]
pub fn monitored(agent: &Agent, job: Job) -> Job {
    let trace_parent = job.metadata("traceparent").and_then(TraceParent::parse);
    let Job { name, work, .. } = job;
    let agent = agent.clone();
    Job::new(name, async move {
        let transaction = agent.begin_transaction(KIND);
        // A job that panics or is cancelled has its name from here.
        transaction.set_name(name);
        transaction.set_trace_parent(trace_parent);
        let ended = transaction.wrap(work).await;
        if let Err(error) = &ended {
            transaction.capture_error(&**error);
        }
        transaction.end(name, if ended.is_ok() { "ok" } else { "failed" });
        ended
    })
}
