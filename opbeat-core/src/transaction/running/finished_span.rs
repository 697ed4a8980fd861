//! A span that is recorded as a whole, after its end.

use std::borrow::Cow;
use std::time::Duration;

use crate::clock::Instant;
use crate::record::Value;

/// A span that has ended already, for libraries that report their work only at its end.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use opbeat_core::instrument::{FinishedSpan, Position};
///
/// let span = FinishedSpan::new("SELECT FROM books", "db.sqlite.query", Duration::from_millis(3)).leaf();
/// if let Some(position) = Position::current() {
///     position.record(span.extra("sql", "SELECT title FROM books"));
/// }
/// ```
#[derive(Clone, Debug)]
pub struct FinishedSpan {
    pub(super) signature: Cow<'static, str>,
    pub(super) kind: Cow<'static, str>,
    pub(in crate::transaction) ended: Instant,
    pub(super) duration: Duration,
    pub(in crate::transaction) is_leaf: bool,
    pub(super) extra: Vec<(Cow<'static, str>, Value)>,
}

impl FinishedSpan {
    /// Makes a span that ends now.
    pub fn new(
        signature: impl Into<Cow<'static, str>>,
        kind: impl Into<Cow<'static, str>>,
        duration: Duration,
    ) -> Self {
        let (signature, kind, ended) = (signature.into(), kind.into(), Instant::now());
        Self { signature, kind, ended, duration, is_leaf: false, extra: Vec::new() }
    }

    /// Makes the span a leaf, whose repeats can be combined.
    #[must_use]
    pub fn leaf(mut self) -> Self {
        self.is_leaf = true;
        self
    }

    /// Sets the time at which the span ended, instead of now.
    #[must_use]
    pub fn ended_at(mut self, ended: std::time::Instant) -> Self {
        self.ended = Instant::of_system(ended);
        self
    }

    /// Sets an extra value that is shown with the span, such as `sql` or `url`.
    #[must_use]
    pub fn extra(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.extra.push((key.into(), value.into()));
        self
    }
}
