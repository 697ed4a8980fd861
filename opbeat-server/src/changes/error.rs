//! Reported errors.

use serde::{Deserialize, Serialize};

/// A reported error, with everything that finds or creates its group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewError {
    /// The app's id.
    pub(crate) app_id: String,
    /// The fingerprint: errors with the same one are in the same group.
    pub(crate) fingerprint: Vec<u8>,
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// Its type, or an empty string.
    pub(crate) type_name: String,
    /// Its message.
    pub(crate) message: String,
    /// Its culprit: the function or the transaction that caused it.
    pub(crate) culprit: String,
    /// The number of similar errors that it stands for.
    pub(crate) occurrences: i64,
    /// Its level, such as `error`, or an empty string.
    pub(crate) level: String,
    /// The name of the transaction in which it happened, or an empty string.
    pub(crate) transaction_name: String,
    /// The id that the agent gave this transaction, or an empty string.
    pub(crate) transaction_external_id: String,
    /// The id by which the application's users can name the error.
    pub(crate) external_id: String,
    /// The changes that intake made in it: [`Notes`](opbeat_protocol::read::Notes) as JSON, or no bytes.
    pub(crate) notes: Vec<u8>,
    /// The error as it is shown, with the frame of the oldest call first: an
    /// [`ErrorBody`](opbeat_protocol::ErrorBody) as JSON.
    pub(crate) document: Vec<u8>,
}
