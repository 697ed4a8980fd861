//! Responses, before a protocol gives them a meaning.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use hyper::StatusCode;
use hyper::body::Bytes;

/// A response of the server.
#[derive(Debug)]
pub(in crate::export) struct Response {
    pub(in crate::export) status: StatusCode,
    pub(in crate::export) retry_after: Option<Duration>,
    pub(in crate::export) location: Option<String>,
    pub(in crate::export) body: Bytes,
}

/// The result of a delivery that is not repeated.
#[derive(Debug)]
pub(in crate::export) enum Delivery {
    Accepted,
    Rejected(String),
}

impl Response {
    /// Returns the body as text.
    pub(in crate::export) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// Describes the response, with the reason that it contains.
    pub(in crate::export) fn description(&self, reason: &str) -> String {
        if reason.is_empty() {
            format!("responded with {}", self.status)
        } else {
            format!("responded with {}: {reason}", self.status)
        }
    }
}

/// Returns a message in one line of limited length. An HTML page becomes empty, because it is for browsers.
pub(in crate::export) fn one_line(message: &str) -> String {
    const LONGEST: usize = 300;
    if message.trim_start().starts_with('<') {
        return String::new();
    }
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST).collect::<String>().trim_end_matches('.').to_owned()
}

/// Reads the value of `Retry-After`: a number of seconds, or a date (RFC 9110, section 10.2.3).
pub(super) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value.trim()).ok()?;
    Some(SystemTime::try_from(date).ok()?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn delays_are_seconds_or_dates() {
        let now = UNIX_EPOCH + Duration::from_secs(784_111_777);
        let read = |value| retry_after(value, now).map(|delay| delay.as_secs());
        assert_eq!(read("120"), Some(120));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:27 GMT"), Some(0), "a date in the past asks for no delay");
        assert_eq!(read("soon"), None);
    }
}
