//! Sign-ins that failed at the provider, or on the way.

use crate::text::start_of;

/// The part of a provider's message that the log contains, in characters.
const MAX_DETAIL: usize = 300;

/// A sign-in that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct Failure {
    /// The cause, for the reader of the page.
    pub(crate) cause: Cause,
    /// The detail, for the log. It contains no code and no token.
    pub(crate) detail: String,
}

/// The cause of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The provider cannot be reached, or its answer is no answer of a provider.
    Away,
    /// The person or the provider refused.
    Denied,
    /// The browser has no handshake that belongs to the answer: it took too long, was used, or is of another browser.
    Handshake,
    /// The provider did not accept the code or the secret of this server.
    Rejected,
    /// The id token is valid at another time, so that a clock is wrong.
    Clock,
    /// The id token is not for this server, or not of the provider.
    Token,
}

impl Failure {
    /// Makes a failure. The detail may be of the provider: it becomes one line of limited length.
    pub(super) fn new(cause: Cause, detail: impl AsRef<str>) -> Self {
        let detail = start_of(detail.as_ref(), MAX_DETAIL);
        Self { cause, detail: detail.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() }
    }
}
