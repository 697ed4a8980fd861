//! Jobs: work of a queue or a schedule, of which each run is a transaction.
//!
//! [`Agent::job`](crate::Agent::job) runs a future or a closure as a transaction and reports its failure. A
//! [`JobContext`] travels with a queued job, so that the job belongs to the trace of the request that queued it.
//! [`Agent::cron`](crate::Agent::cron) is for scheduled jobs: the server shows which of them are late.

mod context;
mod cron;
mod job;
mod output;
mod schedule;

pub use context::JobContext;
pub use cron::CronJob;
pub use job::Job;
pub use output::JobOutput;
pub use schedule::Schedule;
