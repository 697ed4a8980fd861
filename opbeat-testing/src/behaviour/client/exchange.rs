//! The result of one request.

use std::time::Duration;

/// The timeout for a response, long enough for a busy machine.
pub(in super::super) const PATIENCE: Duration = Duration::from_secs(30);

/// The response to a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// Status and body, if as much of the response was read as the case asks for.
    pub response: Option<(u16, String)>,
    /// The headers and trailers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The time from the first bytes of the body until the rest of it was released.
    pub held: Duration,
}

impl Exchange {
    pub(super) const fn nothing() -> Self {
        Self { response: None, headers: Vec::new(), held: Duration::ZERO }
    }

    /// Returns the value of a header or trailer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
