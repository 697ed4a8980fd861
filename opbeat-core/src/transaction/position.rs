//! Positions in a transaction, in which libraries start spans apart from the code that runs.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::current::CurrentTransaction;
use super::running::{Active, FinishedSpan, SpanRef};
use super::scope::{Context, Entered, LivePosition, Place};
use super::span::Span;
use crate::pipeline::TransactionHandle;
use crate::record::TraceParent;

/// A position in a transaction: in one of its spans, or outside of all spans.
///
/// It is for libraries whose hooks run on another thread than the code that they measure, or that report the start and
/// the end of their work separately. A position can be kept, sent to other threads and used after its span has ended.
///
/// # Examples
///
/// ```
/// use opbeat_core::instrument::Position;
///
/// // A hook is called at the start of the work, and another one at its end.
/// let started = Position::current().map(|position| position.start("GET books", "cache.redis").leaf());
/// drop(started);
/// ```
#[derive(Clone)]
pub struct Position {
    active: Arc<Active>,
    span: Option<SpanRef>,
    is_leaf: bool,
}

impl Position {
    fn new(active: Arc<Active>, span: Option<SpanRef>, is_leaf: bool) -> Self {
        Self { active, span, is_leaf }
    }

    /// Returns the position of the running code; `None` if it is not part of a transaction.
    #[must_use]
    pub fn current() -> Option<Self> {
        let Context { transaction, span, is_leaf, .. } = Context::of_current();
        Some(Self::new(transaction?, span, is_leaf))
    }

    /// Returns the transaction.
    #[must_use]
    pub fn transaction(&self) -> CurrentTransaction {
        CurrentTransaction { active: Some(Arc::clone(&self.active)) }
    }

    /// Returns whether the transaction still runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.active.has_ended()
    }

    /// Returns whether another position is in the same transaction.
    #[must_use]
    pub fn is_in_transaction_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.active, &other.active)
    }

    /// Starts a span at this position. It does not become the current span of the thread: see [`enter`](Self::enter).
    ///
    /// In a leaf, the span is not recorded.
    pub fn start(&self, signature: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> Span {
        match self.parent() {
            Some(parent) => Span::start_in(&self.active, parent, signature.into(), kind.into()),
            None => Span::default(),
        }
    }

    /// Records a span that has ended already. In a leaf, it is not recorded.
    pub fn record(&self, span: FinishedSpan) {
        if let Some(parent) = self.parent() {
            let is_own_thread = Context::with(|context| context.is_of(&self.active)).unwrap_or(false);
            self.active.record_span(span, parent, is_own_thread);
        }
    }

    /// Notes that the calling code is about to issue a query, whose end is reported on another thread.
    ///
    /// The stack of that thread does not have the application's calls. If a query is repeated so often that it is shown
    /// with the line that issues it (N+1), that line is found here. Otherwise, the call takes about 20 ns.
    pub fn note_call_site(&self) {
        self.active.note_call_site();
    }

    /// Makes this position current on this thread until the guard is dropped.
    pub fn enter(&self) -> Entered {
        Entered::here(Context::at(Arc::clone(&self.active), self.span, self.is_leaf))
    }

    /// Returns the value of the `traceparent` header for a call to another service that is made at this position.
    #[must_use]
    pub fn trace_parent(&self) -> TraceParent {
        self.active.trace_parent(self.span)
    }

    /// Returns the parent of new spans; `None` in a leaf that still runs. A leaf that has ended gets no children.
    fn parent(&self) -> Option<Option<SpanRef>> {
        if !self.is_leaf {
            return Some(self.span);
        }
        let left = self.active.nearest_running_span(self.span);
        (left != self.span).then_some(left)
    }
}

impl Span {
    /// Returns the position in this span, in which other spans can start; `None` if the span is not recorded.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        let running = self.running.as_ref()?;
        Some(Position::new(Arc::clone(&running.active), running.span.position(), running.is_leaf))
    }
}

impl LivePosition {
    /// Returns the position now: in the span that is current there, or that was when the task was last polled.
    #[must_use]
    pub fn now(&self) -> Position {
        let Place { active, span, is_leaf } = self.place();
        Position::new(active, span, is_leaf)
    }
}

impl fmt::Debug for LivePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LivePosition").field(&self.now()).finish()
    }
}
/// Positions are equal if they are in the same span of the same transaction.
impl PartialEq for Position {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.active, &other.active) && self.span == other.span
    }
}

impl Eq for Position {}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Position").field("transaction", &self.active.id).field("span", &self.span).finish()
    }
}
