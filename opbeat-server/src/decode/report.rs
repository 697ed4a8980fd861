//! The typed content of a body.

use opbeat_protocol::read::Unreadable;
use opbeat_protocol::{ErrorBody, TransactionsBody};

/// The endpoint of the intake that a body was posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `errors/`
    Errors,
    /// `transactions/`
    Transactions,
}

impl Endpoint {
    /// Returns the last segment of the endpoint's path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Transactions => "transactions",
        }
    }
}

/// The typed content of a body.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// One error.
    Error(Box<ErrorBody>),
    /// The durations and the samples of transactions.
    Transactions(Box<TransactionsBody>),
}

/// A body that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undecodable {
    /// The body, or the inflated body, is larger than a limit in bytes.
    #[error("The body is larger than {} MiB. Send smaller bodies, more often.", .0 >> 20)]
    TooLarge(usize),
    /// The compressed body is damaged.
    #[error("Unable to validate data: body: {0}.")]
    Damaged(String),
    /// The content is no report.
    #[error("Unable to validate data: {0}.")]
    Unreadable(#[from] Unreadable),
}

impl Undecodable {
    /// Returns the reason as one word, by which refusals are counted.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::Damaged(_) => "damaged",
            Self::Unreadable(Unreadable::NotJson { .. }) => "not_json",
            Self::Unreadable(Unreadable::Truncated) => "truncated",
            Self::Unreadable(Unreadable::NotAnObject { .. }) => "not_an_object",
            Self::Unreadable(Unreadable::Empty | Unreadable::NoContent { .. }) => "no_content",
        }
    }
}
