//! The distributed trace that a transaction belongs to.

use std::fmt;

/// The trace that a request belongs to, and the span of the caller that sent it: a [`traceparent`][w3c] header.
///
/// # Examples
///
/// ```
/// use opbeat_core::record::TraceParent;
///
/// let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let parent = TraceParent::parse(header).expect("a valid header");
/// assert_eq!(parent.to_string(), header);
/// assert!(TraceParent::parse("00-0-0-01").is_none());
/// ```
///
/// [w3c]: https://www.w3.org/TR/trace-context/#traceparent-header
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace's id, never 0.
    pub trace_id: u128,
    /// The id of the caller's span, never 0.
    pub parent_id: u64,
    /// Whether the caller records its part of the trace.
    pub sampled: bool,
}

/// The length of a header of version 00. Later versions may be longer.
const LENGTH: usize = 55;

impl TraceParent {
    /// Parses a header's value. Returns `None` if the specification does not allow it.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let header = header.trim();
        let mut parts = header.split('-');
        let [version, trace_id, parent_id, flags] = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let is_known = if version == "00" { header.len() == LENGTH } else { version.len() == 2 && version != "ff" };
        let parent = Self {
            trace_id: u128::from_str_radix(hex(trace_id, 32)?, 16).ok()?,
            parent_id: u64::from_str_radix(hex(parent_id, 16)?, 16).ok()?,
            sampled: u8::from_str_radix(hex(flags, 2)?, 16).ok()? & 1 == 1,
        };
        (is_known && hex(version, 2).is_some() && parent.trace_id != 0 && parent.parent_id != 0).then_some(parent)
    }
}

/// Returns the text if it has this length and only lower-case hexadecimal digits.
fn hex(text: &str, length: usize) -> Option<&str> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == length && text.bytes().all(is_digit)).then_some(text)
}

/// Writes the header's value.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.parent_id, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_headers_are_parsed() {
        let parse = |header: &str| TraceParent::parse(header).is_some();
        for header in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-will-be-like",
        ] {
            assert!(parse(header), "{header}");
        }
        for header in [
            "",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
        ] {
            assert!(!parse(header), "{header}");
        }
    }
}
