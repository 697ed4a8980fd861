//! Turns a record of the queue into changes of the store, without a clock and without I/O.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{errors, transactions};
use crate::intake::{inflate, parse_errors, parse_transactions};
use crate::queue::{Endpoint, Message};
use crate::store::{BodyChanges, Changes};

/// The largest inflated body in bytes. Intake has already inflated each body under its own limit, which is
/// 32 MiB by default.
const MAX_INFLATED: usize = 256 << 20;

/// Returns the changes of a record.
///
/// Returns the reason as an error if the record is invalid. A panic is caught and returned too, so that one body cannot
/// stop all others.
pub(super) fn interpret(record: &[u8]) -> Result<BodyChanges, String> {
    let message = Message::decode(record).map_err(|error| format!("the envelope is invalid: {error}"))?;
    let changes = catch_unwind(AssertUnwindSafe(|| changes(&message)));
    let changes = changes.unwrap_or_else(|_| Err("the worker panicked while it interpreted the body".to_owned()))?;
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
