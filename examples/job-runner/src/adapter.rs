//! The adapter: turns a job into a recorded job.

use opbeat_core::Agent;
use opbeat_core::jobs::JobContext;

use crate::Job;

/// Records a job as a transaction, which begins when the job starts, not when it is queued.
///
/// A failure and a panic are reported. A job that is dropped before its end counts as cancelled.
#[must_use]
pub fn monitored(agent: &Agent, job: Job) -> Job {
    let origin = JobContext::from_entries(|name| job.metadata(name));
    let Job { name, work, .. } = job;
    Job::new(name, agent.job(name).runner("runner").queued_by(&origin).run(work))
}
