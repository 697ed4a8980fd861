//! The queue: the changes of bodies are safe before their requests are answered with 202.
//!
//! ```text
//!                    ┌─ log: segment files, for a server of one process ───────────┐
//! intake ─► Queue ───┤                                                             ├─► Source ─► worker
//!           append   │          away, slow, full                                   │   next
//!                    └─ RabbitMQ ─ ─ ─ ─ ─ ─ ─ ─► spool ─► RabbitMQ ───────────────┘   acknowledge
//!                       confirmed publishes       a log, on intake's disk
//! ```
//!
//! Intake appends to a [`Queue`] and the worker reads a [`Source`]; neither knows which engine runs. An append returns
//! after the record is synced to the disk of this machine, or after RabbitMQ has confirmed it.
//!
//! Each batch of a source has a [`Mark`], which the store writes in the same transaction as the records: the position
//! after them in the log, or their ids. So every record is stored exactly once, although RabbitMQ may deliver it again.

mod address;
mod amqp;
mod batch;
mod broker;
mod condition;
mod error;
mod handle;
mod health;
mod id;
mod limits;
mod log;
mod message;
mod source;
mod spool;

pub use address::QueueAddress;
pub(crate) use amqp::{AmqpAddress, InvalidAddress};
pub(crate) use batch::{Batch, Mark, Record, RecordId};
pub(crate) use broker::Broker;
pub(crate) use condition::Failure;
pub(crate) use error::AppendError;
pub(crate) use handle::Queue;
pub(crate) use health::QueueHealth;
pub(crate) use id::QueueId;
pub use limits::QueueLimits;
#[cfg(any(fuzzing, test))]
pub(crate) use log::fuzzing;
pub(crate) use log::{Damage, Position, payloads_of_damaged, split_damaged};
pub(crate) use source::Source;
