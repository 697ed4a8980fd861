//! From a record of the queue to what it changes in the store. No clock, no I/O.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{errors, transactions};
use crate::intake::{inflate, parse_errors, parse_transactions};
use crate::queue::{Endpoint, Message};
use crate::store::{BodyChanges, Changes};

/// The queue holds what intake has inflated once before, under its own limit.
const MAX_INFLATED: usize = 256 << 20;

/// Returns what a record changes.
///
/// # Errors
///
/// Returns the reason if it cannot be read. A panic is a reason as well: one body must not stop all others.
pub fn interpret(record: &[u8]) -> Result<BodyChanges, String> {
    let message = Message::decode(record).map_err(|error| format!("the envelope cannot be read: {error}"))?;
    let changes = catch_unwind(AssertUnwindSafe(|| changes(&message)));
    let changes = changes.unwrap_or_else(|_| Err("the worker panicked over it".to_owned()))?;
    let envelope = message.envelope;
    Ok(BodyChanges {
        app_id: envelope.app_id,
        idempotency_key: envelope.idempotency_key,
        received_at: envelope.received_at,
        changes,
    })
}

fn changes(message: &Message) -> Result<Changes, String> {
    let json = inflate(&message.body, MAX_INFLATED).map_err(|error| error.to_string())?;
    match message.envelope.endpoint {
        Endpoint::Errors => {
            let body = parse_errors(&json).map_err(|rejection| rejection.message)?;
            Ok(errors::changes(&message.envelope, body))
        }
        Endpoint::Transactions => {
            let body = parse_transactions(&json).map_err(|rejection| rejection.message)?;
            Ok(transactions::changes(&message.envelope, body))
        }
    }
}
