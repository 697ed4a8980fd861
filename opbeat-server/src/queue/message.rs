//! The messages in the queue.

use opbeat_protocol::Timestamp;
use serde::{Deserialize, Serialize};

/// The endpoint of the intake that a body was posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Endpoint {
    /// `errors/`
    Errors,
    /// `transactions/`
    Transactions,
}

/// A body as it was posted, with the other values of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The values of its request.
    pub(crate) envelope: Envelope,
    /// The body as it was received, compressed or not.
    pub(crate) body: Vec<u8>,
}

/// The values of a request besides its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// The app's id.
    pub(crate) app_id: String,
    /// The endpoint.
    pub(crate) endpoint: Endpoint,
    /// When the body was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// `X-Opbeat-Platform`, such as `lang=python/3.11.7 platform=CPython framework=flask/2.2.5`.
    #[serde(default)]
    pub(crate) platform: String,
    /// `Idempotency-Key`, or an empty string.
    #[serde(default)]
    pub(crate) idempotency_key: String,
}

impl Envelope {
    /// Returns when the body was received.
    #[must_use]
    pub(crate) const fn received(&self) -> Timestamp {
        Timestamp::from_micros(self.received_at)
    }
}

impl Message {
    /// Encodes the message: the envelope as a line of JSON, then the body.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(&self.envelope).expect("strings and numbers can be serialised");
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Decodes a message from a record of the queue.
    ///
    /// # Errors
    ///
    /// Returns an error if the envelope is invalid.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
        let envelope = serde_json::from_slice(&bytes[..end])?;
        Ok(Self { envelope, body: bytes.get(end + 1..).unwrap_or_default().to_vec() })
    }
}
