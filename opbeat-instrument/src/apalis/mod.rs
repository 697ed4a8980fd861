//! Tasks of apalis as transactions.
//!
//! # Examples
//!
//! ```
//! use apalis_core::backend::{TaskSink, memory::MemoryStorage};
//! use apalis_core::task::builder::TaskBuilder;
//! use apalis_core::worker::{builder::WorkerBuilder, context::WorkerContext};
//! use opbeat_core::Agent;
//! use opbeat_instrument::apalis::{OpbeatTasks, TaskOrigin};
//!
//! #[derive(Clone)]
//! struct Newsletter {
//!     issue: u32,
//! }
//!
//! async fn send(newsletter: Newsletter, worker: WorkerContext) -> Result<(), std::io::Error> {
//!     println!("sending issue {}", newsletter.issue);
//! #   worker.stop().map_err(std::io::Error::other)?;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let agent = Agent::from_env();
//! let mut storage = MemoryStorage::new();
//! // In a request: the task continues the trace of that request.
//! storage.push_task(TaskBuilder::new(Newsletter { issue: 3 }).metadata(&TaskOrigin::current()).build()).await?;
//!
//! let worker = WorkerBuilder::new("newsletters").backend(storage).layer(OpbeatTasks::new(&agent)).build(send);
//! worker.run().await?;
//! # Ok(())
//! # }
//! ```

mod layer;
mod origin;
mod run;

pub use layer::{MonitoredTasks, OpbeatTasks};
pub use origin::TaskOrigin;
pub use run::MonitoredTask;
