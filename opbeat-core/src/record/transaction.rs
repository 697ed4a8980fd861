//! Finished transactions, and the time of all of them by kind of span.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use super::{DroppedSpans, Outcome, Repeats, RequestRecord, SpanRecord, TraceParent, TransactionResult, User, Value};

/// The id of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub(crate) u128);

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The number of bytes to which names are cut.
const LONGEST_NAME: usize = 512;

/// The name that a transaction is counted under. An application has few names, however many URLs it has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TransactionName {
    /// A name, such as `shop.jobs.newsletter`.
    Name(Cow<'static, str>),
    /// A method and a route template, shown as `GET /books/{id}`. They are separate, so that no request formats a
    /// string.
    Route {
        /// The method.
        method: &'static str,
        /// The template, as [`http::route`](crate::http::route) interns it.
        route: &'static str,
    },
}

impl TransactionName {
    /// Cuts a name that was made at run time to 512 bytes.
    #[inline]
    pub(crate) fn cut(self) -> Self {
        match self {
            Self::Name(Cow::Owned(name)) if name.len() > LONGEST_NAME => cut(name),
            name => name,
        }
    }
}

#[cold]
fn cut(mut name: String) -> TransactionName {
    name.truncate(name.floor_char_boundary(LONGEST_NAME));
    TransactionName::Name(Cow::Owned(name))
}

impl Default for TransactionName {
    fn default() -> Self {
        Self::Name(Cow::Borrowed("unnamed"))
    }
}

impl From<&'static str> for TransactionName {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<String> for TransactionName {
    fn from(name: String) -> Self {
        Self::Name(Cow::Owned(name))
    }
}

impl fmt::Display for TransactionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Route { method, route } => write!(f, "{method} {route}"),
        }
    }
}

/// One finished transaction.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransactionRecord {
    /// Its id.
    pub id: TransactionId,
    /// The name that it is counted under.
    pub name: TransactionName,
    /// The dotted kind, such as `web.axum` or `task.newsletter`.
    pub kind: Cow<'static, str>,
    /// The result that it is counted under.
    pub result: TransactionResult,
    /// Its outcome.
    pub outcome: Outcome,
    /// When it began.
    pub started_at: SystemTime,
    /// Its duration, to the end of the response body.
    pub duration: Duration,
    /// The time that it waited before it began: a request by the header of a proxy, a job in its queue.
    pub queued: Option<Duration>,
    /// The time until the response head (status and headers) was ready.
    pub head: Option<Duration>,
    /// The time that the handler ran on its executor's thread. It waited for the rest of the duration.
    pub busy: Option<Duration>,
    /// The length of the request body in bytes, as the request declares it.
    pub request_bytes: Option<u64>,
    /// The number of bytes of the response body that were sent.
    pub response_bytes: Option<u64>,
    /// The trace in the request's headers.
    pub trace: Option<TraceParent>,
    /// The transaction that started this one.
    pub parent: Option<TransactionId>,
    /// Its spans, in the order of their start, of which equal leaf spans are combined.
    pub spans: Vec<SpanRecord>,
    /// The number of spans that were dropped because there were too many.
    pub dropped_spans: u32,
    /// The dropped spans by their kind.
    pub dropped: Vec<DroppedSpans>,
    /// When the spans ran that have no record of their own. It is not sent.
    pub(crate) repeats: Repeats,
    /// The request.
    pub request: Option<RequestRecord>,
    /// The headers of the failed response, as far as the configuration chooses them.
    pub response_headers: Vec<(Cow<'static, str>, Value)>,
    /// The user for whom it was done.
    pub user: Option<User>,
    /// Searchable values.
    pub tags: Vec<(Cow<'static, str>, Value)>,
    /// Further values of the application.
    pub extra: Vec<(Cow<'static, str>, Value)>,
}

impl Default for TransactionRecord {
    fn default() -> Self {
        Self {
            id: TransactionId(0),
            name: TransactionName::default(),
            kind: Cow::Borrowed(""),
            result: TransactionResult::default(),
            outcome: Outcome::default(),
            started_at: SystemTime::UNIX_EPOCH,
            duration: Duration::ZERO,
            queued: None,
            head: None,
            busy: None,
            request_bytes: None,
            response_bytes: None,
            trace: None,
            parent: None,
            spans: Vec::new(),
            dropped_spans: 0,
            dropped: Vec::new(),
            repeats: Repeats::default(),
            request: None,
            response_headers: Vec::new(),
            user: None,
            tags: Vec::new(),
            extra: Vec::new(),
        }
    }
}

/// The time that all transactions of a name and a minute spent in spans of the same kind.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakdownRecord {
    /// The minute in which the transactions began.
    pub minute: SystemTime,
    /// Their name.
    pub name: String,
    /// Their kind.
    pub kind: Cow<'static, str>,
    /// The spans' kind; `app` for the time outside of all spans.
    pub span_kind: Cow<'static, str>,
    /// The number of spans.
    pub count: u64,
    /// Their time without that of their children.
    pub self_time: Duration,
}
