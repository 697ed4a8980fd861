//! Batches: some records of the queue, and the mark by which the store knows that it has them.

use super::id::QueueId;
use super::log::{Damage, Position};

/// The id of a record: 16 random bytes.
pub(crate) type RecordId = [u8; 16];

/// A record of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Its id, if the queue may deliver it more than once.
    pub(crate) id: Option<RecordId>,
    /// Its payload.
    pub(crate) bytes: Vec<u8>,
}

/// The value that the store writes together with a batch, so that the batch is stored once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The position after the batch in the log of a queue.
    Position(QueueId, Position),
    /// The ids of the records.
    Records,
}

/// Some records, in the order in which they were appended as far as the queue knows it.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The records to store.
    pub(crate) records: Vec<Record>,
    /// Records that no worker has stored, although the queue delivered them several times. They are set aside.
    pub(crate) dead: Vec<Record>,
    /// The mark of the batch.
    pub(crate) mark: Mark,
    /// Damage that was found and skipped, if any.
    pub(crate) damage: Option<Damage>,
    /// The values that the source needs to acknowledge the batch.
    pub(super) receipt: Receipt,
}

/// The deliveries of RabbitMQ in a batch. Those of a connection that has ended cannot be acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Receipt {
    /// The number of the connection.
    pub(super) connection: u64,
    /// The tag of the last record.
    pub(super) records: Option<u64>,
    /// The tag of the last dead letter.
    pub(super) dead: Option<u64>,
}
