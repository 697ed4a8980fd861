//! The queue: the changes of bodies are on disk before their requests are answered with 202.
//!
//! ```text
//! intake ─► Queue::append ─► writer thread ─► segment files ─► Reader ─► worker
//!           waits            one fdatasync                     from the store's cursor
//!                            for all waiting appends
//! ```
//!
//! Segment files contain records, each after a mark, its length and its checksum. A damaged record loses only itself. A
//! record is acknowledged after it was synced. A record that a crash cut off was never acknowledged, and is removed when
//! the queue is opened again; nothing else is. The store keeps the reader's position, and moves it in the same
//! transaction in which it stores the records: so every record is stored exactly once.

mod backlog;
mod blocks;
mod condition;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod handle;
mod reader;
mod record;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use handle::Queue;
pub use handle::QueueLimits;
pub(crate) use reader::{Damage, Reader, RecordBatch};
pub(crate) use record::{payloads_of_damaged, split_damaged};
pub(crate) use segment::Position;
pub(crate) use writer::AppendError;
