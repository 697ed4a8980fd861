//! Records that earlier versions of the server left in the queue: bodies as they were posted.

use opbeat_protocol::Timestamp;
use serde::Deserialize;

use crate::changes::BodyChanges;
use crate::decode::{Endpoint, decode};
use crate::interpret::{Origin, interpret};

/// The largest inflated body in bytes. Intake has inflated each body under its own limit, which was 32 MiB by default.
const MAX_INFLATED: usize = 256 << 20;

/// The values of a request besides its body: the first line of a record, as JSON.
#[derive(Deserialize)]
struct Envelope {
    app_id: String,
    endpoint: LegacyEndpoint,
    received_at: i64,
    #[serde(default)]
    platform: String,
    #[serde(default)]
    idempotency_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum LegacyEndpoint {
    Errors,
    Transactions,
}

/// Returns the changes of such a record.
///
/// Returns the reason as an error if the record is invalid.
pub(super) fn changes(record: &[u8]) -> Result<BodyChanges, String> {
    let end = record.iter().position(|byte| *byte == b'\n').unwrap_or(record.len());
    let envelope: Envelope =
        serde_json::from_slice(&record[..end]).map_err(|error| format!("the envelope is invalid: {error}"))?;
    let endpoint = match envelope.endpoint {
        LegacyEndpoint::Errors => Endpoint::Errors,
        LegacyEndpoint::Transactions => Endpoint::Transactions,
    };
    let body = record.get(end + 1..).unwrap_or_default();
    let report = decode(endpoint, body, MAX_INFLATED).map_err(|error| error.to_string())?;
    let received = Timestamp::from_micros(envelope.received_at);
    let (app_id, platform) = (envelope.app_id, envelope.platform);
    let origin = Origin { app_id, received, platform, ..Origin::default() };
    let changes = interpret(&origin, report);
    let idempotency_key = match envelope.idempotency_key {
        key if key.is_empty() => key,
        key => endpoint.own_key(&key),
    };
    Ok(BodyChanges::new(origin.app_id, idempotency_key, envelope.received_at, changes))
}
