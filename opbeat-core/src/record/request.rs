//! The HTTP request of a transaction or an error.

use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::TraceParent;

/// The HTTP request of a transaction, in one buffer.
///
/// Requests are recorded on the request path, and nearly all of them are never read. So the parts are stored one after
/// the other in a buffer, which the next request reuses. They become strings off the request path, if an error or a
/// sample is sent.
///
/// # Examples
///
/// ```
/// use opbeat_core::record::RequestRecord;
///
/// let mut request = RequestRecord::default();
/// request.set_line("GET", "/books?page=2");
/// request.push_header("host", b"shop.example");
/// assert_eq!(request.headers().collect::<Vec<_>>(), [("host".into(), "shop.example".into())]);
/// ```
#[derive(Default)]
pub struct RequestRecord {
    /// A buffer of pairs, of which the first `filled` bytes are used: method and target, then each header's name and
    /// value. Each pair follows its two lengths.
    parts: Vec<u8>,
    filled: usize,
    client: Option<IpAddr>,
    /// The start of the body, if the application records it.
    body: Option<String>,
    /// Whether a header `traceparent` was added, so that requests without one are not searched for it.
    has_trace: bool,
}

/// The header of a distributed trace.
const TRACE_PARENT: &str = "traceparent";

/// The number of bytes to which parts are cut. No server accepts longer ones by default.
const MAX_PART: usize = 8 * 1024;

/// The largest size of all parts of a request, in bytes.
const MAX_TOTAL: usize = 32 * 1024;

/// The smallest size of the buffer. Most requests of programs fit.
const SMALLEST: usize = 512;

/// The size of a pair's lengths, each a `u16`.
const LENGTHS: usize = 2 * size_of::<u16>();

/// The largest buffer that is kept for the next request.
const MAX_KEPT: usize = 4 * 1024;

/// A larger number is not in seconds since 1970: this one is in the year 5138.
const MAX_SECONDS: f64 = 1e11;

/// The longest plausible wait of a request in a proxy.
const MAX_QUEUED: Duration = Duration::from_secs(3_600);

impl RequestRecord {
    /// Starts the record of a request with its method and its target: path and query.
    #[inline]
    pub fn set_line(&mut self, method: &str, target: &str) {
        self.filled = 0;
        self.has_trace = false;
        self.push(method.as_bytes(), target.as_bytes());
    }

    /// Adds a header. Headers beyond 32 KiB in total are ignored.
    #[inline]
    pub fn push_header(&mut self, name: &str, value: &[u8]) {
        self.has_trace |= name.len() == TRACE_PARENT.len() && name.eq_ignore_ascii_case(TRACE_PARENT);
        self.push(name.as_bytes(), value);
    }

    /// Sets the address that the request came from: the other end of the connection.
    pub fn set_client(&mut self, client: Option<IpAddr>) {
        self.client = client;
    }

    /// Returns the address that the request came from.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> String {
        self.pairs().next().map(|(method, _)| text(method)).unwrap_or_default()
    }

    /// Returns the target: the path with the query.
    #[must_use]
    pub fn target(&self) -> String {
        self.pairs().next().map(|(_, target)| text(target)).unwrap_or_default()
    }

    /// Returns the headers' names and values. Invalid UTF-8 is replaced.
    pub fn headers(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.pairs().skip(1).map(|(name, value)| (text(name), text(value)))
    }

    /// Returns the value of the first header with this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.pairs().skip(1).find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.and_then(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// Returns the values of all headers with this name, in any case. A value that is invalid UTF-8 is empty.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.pairs().skip(1).filter(move |(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|(_, value)| std::str::from_utf8(value).unwrap_or_default())
    }

    /// Returns the trace that the request belongs to. A request with more than one `traceparent` header is treated as if it
    /// had none (W3C Trace Context, section 3.2).
    #[must_use]
    pub fn trace_parent(&self) -> Option<TraceParent> {
        if !self.has_trace {
            return None;
        }
        let mut headers = self.header_values(TRACE_PARENT);
        let parent = TraceParent::parse(headers.next()?);
        parent.filter(|_| headers.next().is_none())
    }

    /// Returns the start of the body, if it was recorded.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }

    /// Returns the time that the request waited before it reached the application, from the header that proxies add.
    ///
    /// `X-Request-Start`, or `X-Queue-Start`, is the time in seconds, milliseconds or microseconds since 1970, with or
    /// without `t=`: proxies differ. A time in the future, or more than one hour ago, is ignored: the proxy's
    /// clock is wrong.
    #[must_use]
    pub fn queued_before(&self, started_at: SystemTime) -> Option<Duration> {
        let value = self.header("x-request-start").or_else(|| self.header("x-queue-start"))?;
        let number: f64 = value.trim().trim_start_matches("t=").parse().ok()?;
        let seconds = [1.0, 1e3, 1e6].into_iter().map(|unit| number / unit).find(|seconds| *seconds < MAX_SECONDS)?;
        let arrived = UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        started_at.duration_since(arrived).ok().filter(|queued| *queued < MAX_QUEUED)
    }

    pub(crate) fn set_body(&mut self, body: Option<String>) {
        self.body = body;
    }

    /// Empties the record for the next request. Its buffer stays, unless it is large.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
        if self.parts.len() > MAX_KEPT {
            self.parts = Vec::new();
        }
        self.client = None;
        self.body = None;
        self.has_trace = false;
    }

    #[inline]
    fn push(&mut self, one: &[u8], other: &[u8]) {
        let end = self.filled + LENGTHS + one.len() + other.len();
        let Some(room) = self.parts.get_mut(self.filled..end) else { return self.push_and_grow(one, other) };
        let (lengths, texts) = room.split_at_mut(LENGTHS);
        // A pair that fits into the buffer is shorter than the largest `u16`.
        lengths.copy_from_slice(&((one.len() | other.len() << 16) as u32).to_le_bytes());
        let (first, second) = texts.split_at_mut(one.len());
        first.copy_from_slice(one);
        second.copy_from_slice(other);
        self.filled = end;
    }

    /// Grows the buffer and adds a pair, unless the request gets too large.
    #[cold]
    fn push_and_grow(&mut self, one: &[u8], other: &[u8]) {
        let [one, other] = [one, other].map(|part| &part[..part.len().min(MAX_PART)]);
        let end = self.filled + LENGTHS + one.len() + other.len();
        if end <= MAX_TOTAL {
            let room = end.next_power_of_two().clamp(SMALLEST, MAX_TOTAL).max(self.parts.len());
            self.parts.resize(room, 0);
            self.push(one, other);
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut rest = &self.parts[..self.filled];
        std::iter::from_fn(move || {
            let (lengths, tail) = rest.split_first_chunk::<LENGTHS>()?;
            let lengths = u32::from_le_bytes(*lengths) as usize;
            let (one, tail) = tail.split_at_checked(lengths & 0xFFFF)?;
            let (other, tail) = tail.split_at_checked(lengths >> 16)?;
            rest = tail;
            Some((one, other))
        })
    }
}

/// Compares the filled part. The rest of the buffer is of earlier requests.
impl PartialEq for RequestRecord {
    fn eq(&self, other: &Self) -> bool {
        self.pairs().eq(other.pairs()) && self.client == other.client && self.body == other.body
    }
}

impl Eq for RequestRecord {}

impl Clone for RequestRecord {
    fn clone(&self) -> Self {
        let parts = self.parts[..self.filled].to_vec();
        let Self { filled, client, has_trace, .. } = *self;
        Self { parts, filled, client, body: self.body.clone(), has_trace }
    }
}

fn text(part: &[u8]) -> String {
    String::from_utf8_lossy(part).into_owned()
}

/// Writes the request line only, because headers contain secrets.
impl fmt::Debug for RequestRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestRecord({} {})", self.method(), self.target())
    }
}
