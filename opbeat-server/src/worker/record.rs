//! The changes in a record of the queue.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::legacy;
use crate::changes::{self, BodyChanges};
use crate::queue::payload_of_damaged;

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

/// Returns the changes that a parked message contains, which can be a damaged record.
///
/// Returns the reason as an error if they cannot be read.
pub(crate) fn decode_parked(message: &[u8]) -> Result<Vec<BodyChanges>, String> {
    decode(message).or_else(|reason| decode(payload_of_damaged(message)).map_err(|_| reason))
}
