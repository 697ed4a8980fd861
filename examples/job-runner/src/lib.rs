//! A small job runner and its adapter: each job is a transaction.
//!
//! [`Queue`] and [`Job`] are the runner, which does not depend on Opbeat. [`monitored`] is the adapter: the only code
//! that a runner of your own needs.
//!
//! ```
//! use job_runner::{Job, Queue, monitored};
//! use opbeat_core::Agent;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let agent = Agent::from_env();
//! let queue = Queue::start(move |job| monitored(&agent, job));
//! queue.push(Job::new("shop.newsletter", async { Ok(()) })).ended().await;
//! # }
//! ```

mod adapter;
mod job;
mod queue;

pub use adapter::monitored;
pub use job::{BoxError, Ending, Job};
pub use queue::{Queue, Ticket};
