//! The HTTP request behind an error.

use std::fmt;

/// The HTTP request behind a transaction, kept in one allocation until somebody asks.
///
/// Requests are recorded on the request path, and nearly all of them are never looked at. So the parts lie behind one
/// another in one buffer, and turn into strings off the request path, when there is an error or a sample to send.
///
/// # Examples
///
/// ```
/// use opbeat_core::RequestRecord;
///
/// let mut request = RequestRecord::new("GET", "/books?page=2", 64);
/// request.push_header("host", b"shop.example");
/// assert_eq!(request.headers().collect::<Vec<_>>(), [("host".into(), "shop.example".into())]);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RequestRecord {
    /// Method, target and then header names and values in turn, each behind its length as a `u16`.
    parts: Vec<u8>,
}

/// Longer parts are cut: no server takes longer ones by default.
const MAX_PART: usize = 8 * 1024;

/// The headers of one request take at most this much.
const MAX_TOTAL: usize = 32 * 1024;

impl RequestRecord {
    /// Starts a record of a request's method and target (path and query) with room for `headers` bytes of headers.
    ///
    /// Room for headers is the sum of their names' and values' lengths and of [`HEADER_OVERHEAD`](Self::HEADER_OVERHEAD) each.
    #[must_use]
    pub fn new(method: &str, target: &str, headers: usize) -> Self {
        let room = method.len() + target.len() + headers + Self::HEADER_OVERHEAD;
        let mut record = Self { parts: Vec::with_capacity(room.min(MAX_TOTAL)) };
        record.push(method.as_bytes());
        record.push(target.as_bytes());
        record
    }

    /// The bytes that a header takes beside its name and value.
    pub const HEADER_OVERHEAD: usize = 4;

    /// Adds a header. Beyond 32 KiB in all, headers are left out.
    pub fn push_header(&mut self, name: &str, value: &[u8]) {
        if self.parts.len() + name.len() + value.len() + Self::HEADER_OVERHEAD <= MAX_TOTAL {
            self.push(name.as_bytes());
            self.push(value);
        }
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> String {
        self.iter().next().unwrap_or_default()
    }

    /// Returns the target: the path with the query.
    #[must_use]
    pub fn target(&self) -> String {
        self.iter().nth(1).unwrap_or_default()
    }

    /// Returns the headers' names and values; bytes that are no UTF-8 are replaced.
    pub fn headers(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let mut parts = self.iter().skip(2);
        std::iter::from_fn(move || parts.next().zip(parts.next()))
    }

    fn push(&mut self, part: &[u8]) {
        let part = &part[..part.len().min(MAX_PART)];
        let length = u16::try_from(part.len()).unwrap_or(0);
        self.parts.extend_from_slice(&length.to_le_bytes());
        self.parts.extend_from_slice(part);
    }

    fn iter(&self) -> impl Iterator<Item = String> + '_ {
        let mut rest = self.parts.as_slice();
        std::iter::from_fn(move || {
            let (length, tail) = rest.split_first_chunk::<2>()?;
            let (part, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
            rest = tail;
            Some(String::from_utf8_lossy(part).into_owned())
        })
    }
}

/// Headers carry secrets, so only the request's line is shown.
impl fmt::Debug for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestRecord({} {})", self.method(), self.target())
    }
}
