//! The changes in a record of the queue.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::legacy;
use crate::changes::{self, BodyChanges};
use crate::queue::{payloads_of_damaged, split_damaged};
use crate::store::ParkedRecord;

/// Returns the changes that a record contains, or the reason why they cannot be read.
///
/// A panic is caught and returned too, so that one record cannot stop all others.
pub(super) fn decode(record: &[u8]) -> Result<Vec<BodyChanges>, String> {
    let decode = || match record.first() {
        Some(b'{') => legacy::changes(record).map(|body| vec![body]),
        _ => changes::decode(record).map_err(|error| error.to_string()),
    };
    let decoded = catch_unwind(AssertUnwindSafe(decode));
    decoded.unwrap_or_else(|_| Err("the worker panicked while it read the record".to_owned()))
}

/// Returns the records that a parked message contains, which can be damaged bytes of the queue.
pub(crate) fn decode_parked(message: &[u8]) -> Vec<ParkedRecord> {
    let reason = match decode(message) {
        Ok(bodies) => return vec![ParkedRecord { bytes: message.to_vec(), bodies: Ok(bodies) }],
        Err(reason) => reason,
    };
    let records = split_damaged(message).into_iter().map(|record| {
        let bodies = payloads_of_damaged(record).find_map(|payload| decode(payload).ok());
        ParkedRecord { bytes: record.to_vec(), bodies: bodies.ok_or_else(|| reason.clone()) }
    });
    records.collect()
}
