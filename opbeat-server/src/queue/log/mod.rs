//! The log: segment files on the disk of this machine.
//!
//! ```text
//! Log::append ─► writer thread ─► segment files ─► Reader
//! waits          one fdatasync                     from the cursor
//!                for all waiting appends
//! ```
//!
//! Segment files contain records, each after a mark, its length and its checksum. A damaged record loses only itself. A
//! record is acknowledged after it was synced. A record that a crash cut off was never acknowledged, and is removed when
//! the log is opened again; nothing else is.
//!
//! The log is a queue by itself, whose cursor the store keeps, and the spool of another queue.

mod backlog;
mod blocks;
mod disk;
#[cfg(test)]
mod faults;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod handle;
mod reader;
mod record;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use backlog::Backlog;
pub(crate) use disk::private;
pub(crate) use handle::Log;
pub(crate) use reader::{Damage, Reader, RecordBatch};
pub(crate) use record::{payloads_of_damaged, split_damaged};
pub(crate) use segment::{Position, has_segments};
