//! Failures of an attempt to send a message.

/// A failure, with its reason for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The reason in a sentence, without a full stop.
    pub(super) reason: String,
    /// Whether another attempt would fail too.
    pub(super) is_final: bool,
}

impl Failure {
    /// Makes a failure that may be over at the next attempt.
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_final: false }
    }

    /// Makes a failure that each attempt would have.
    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_final: true }
    }
}
