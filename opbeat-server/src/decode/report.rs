//! The typed content of a body.

use opbeat_protocol::read::Unreadable;
use opbeat_protocol::{DeploymentBody, ErrorBody, ReleaseBody, TransactionsBody};

/// The endpoint of the intake that a body was posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// `errors/`
    Errors,
    /// `transactions/`
    Transactions,
    /// `releases/`
    Releases,
    /// `deployments/`
    Deployments,
}

impl Endpoint {
    /// Returns the last segment of the endpoint's path.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Transactions => "transactions",
            Self::Releases => "releases",
            Self::Deployments => "deployments",
        }
    }

    /// Returns an idempotency key as it is stored: a key belongs to one endpoint.
    pub(crate) fn own_key(self, key: &str) -> String {
        format!("{}:{key}", self.name())
    }
}

/// The typed content of a body.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// One error.
    Error(Box<ErrorBody>),
    /// The durations and the samples of transactions.
    Transactions(Box<TransactionsBody>),
    /// A completed release.
    Release(ReleaseBody),
    /// The modules that are installed on machines.
    Deployment(DeploymentBody),
}

/// A body that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undecodable {
    /// The body, or the inflated body, is larger than a limit in bytes.
    #[error("The body is larger than {}. Send smaller bodies, more often.", size(*.0))]
    TooLarge(usize),
    /// The compressed body is damaged.
    #[error("Unable to validate data: body: {0}.")]
    Damaged(String),
    /// A field is missing or invalid.
    #[error("Unable to validate data: {field}: {reason}.")]
    Invalid {
        /// The field.
        field: &'static str,
        /// The reason.
        reason: String,
    },
    /// The content is no report.
    #[error("Unable to validate data: {0}.")]
    Unreadable(#[from] Unreadable),
}

impl Undecodable {
    /// Creates the error of an invalid field.
    pub(super) fn field(field: &'static str, reason: impl Into<String>) -> Self {
        Self::Invalid { field, reason: reason.into() }
    }

    /// Returns the reason as one word, by which refusals are counted.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "too_large",
            Self::Damaged(_) => "damaged",
            Self::Invalid { .. } => "invalid",
            Self::Unreadable(Unreadable::NotJson { .. }) => "not_json",
            Self::Unreadable(Unreadable::Truncated) => "truncated",
            Self::Unreadable(Unreadable::NotAnObject { .. }) => "not_an_object",
            Self::Unreadable(Unreadable::Empty | Unreadable::NoContent { .. }) => "no_content",
        }
    }
}

/// Returns a size in bytes in whole MiB or KiB.
pub(super) fn size(bytes: usize) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}
