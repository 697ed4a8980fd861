//! Reported errors.

use serde::{Deserialize, Serialize};

use super::ErrorSpan;

/// A reported error, with everything that finds or creates its group.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NewError {
    /// The app's id.
    pub(crate) app_id: String,
    /// The fingerprint: errors with the same one are in the same group.
    #[serde(with = "serde_bytes")]
    pub(crate) fingerprint: Vec<u8>,
    /// Why the fingerprint is what it is.
    pub(crate) grouping: Grouping,
    /// The time at which it is counted, in microseconds since 1970: when it happened, or when it was received if the
    /// agent's time is not plausible.
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
    /// The id by which the application's users can name the error, or an empty string.
    pub(crate) external_id: String,
    /// The span that it was recorded in, if its transaction is found by it.
    pub(crate) span: Option<ErrorSpan>,
    /// The changes that intake made in the body: [`Notes`](opbeat_protocol::read::Notes) as JSON. Empty if nothing.
    #[serde(with = "serde_bytes")]
    pub(crate) notes: Vec<u8>,
    /// The error as it is shown, with the frame of the oldest call first: an
    /// [`ErrorBody`](opbeat_protocol::ErrorBody), [packed](super::packed), or as JSON in records of earlier versions.
    #[serde(with = "serde_bytes")]
    pub(crate) document: Vec<u8>,
    /// The user that it happened to, if the agent sent one.
    pub(crate) user: Option<ErrorUser>,
    /// The size of the document as JSON, in bytes, where it was made. It is not stored.
    #[serde(skip)]
    pub(crate) json_size: usize,
}

/// A user of the application that an error happened to, as the report names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorUser {
    /// The key by which the user is counted: the start of a hash.
    pub(crate) key: UserKey,
    /// The names, without secrets.
    pub(crate) names: UserNames,
}

/// The key by which a user is counted.
pub(crate) type UserKey = [u8; 16];

/// The names of a user. A name that the agent did not send is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserNames {
    /// The id in the application.
    pub(crate) id: String,
    /// The login name.
    pub(crate) username: String,
    /// The e-mail address.
    pub(crate) email: String,
}

/// Why errors belong to one group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grouping {
    /// The rule that chose the parts.
    pub(crate) rule: GroupingRule,
    /// The parts that all errors of the group have in common.
    pub(crate) parts: Vec<String>,
}

/// The rule by which errors are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GroupingRule {
    /// The text, without the parts that vary.
    #[default]
    Text,
    /// The message's template.
    Template,
    /// The query and its engine.
    Query,
    /// The type and the application's functions on the stack.
    OwnFrames,
    /// The type and all functions on the stack, since none is the application's own. The text too, if they are few.
    AllFrames,
    /// The type and the transaction, since the stack ends in the application's conversion of the error.
    Handler,
    /// The type and the culprit, since there is no stack.
    Culprit,
    /// None: the app has too many groups, and the errors of all further ones are in one.
    Others,
}
