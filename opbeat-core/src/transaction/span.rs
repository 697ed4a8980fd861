//! Parts of a transaction.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Active, Context, InSpan};
use crate::record::{SpanRecord, Value};

/// A running part of a transaction. It ends when it is dropped.
///
/// Spans that start while it runs become its children.
#[derive(Default)]
#[must_use = "a span ends when it is dropped"]
pub struct Span {
    live: Option<Live>,
}

struct Live {
    active: Arc<Active>,
    index: u32,
}

/// Starts a span in the current transaction; it does nothing when there is none.
///
/// `signature` is the short name that spans of a kind are told apart by; `kind` is dotted, from the general to the
/// special.
///
/// # Examples
///
/// ```
/// let span = opbeat_core::span("SELECT FROM books", "db.sqlite.query").leaf();
/// span.set_extra("sql", "SELECT title FROM books WHERE id = ?");
/// // … the query …
/// drop(span);
/// ```
pub fn span(signature: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>) -> Span {
    let live = Context::with(|context| {
        context.go_on();
        let Some(active) = &context.transaction else {
            count_lost();
            return None;
        };
        Live::start_current(context, Arc::clone(active), signature.into(), kind.into())
    });
    Span { live: live.flatten() }
}

/// Spans that were started where no transaction was current or where it had ended, since the process began.
static WITHOUT_TRANSACTION: AtomicU64 = AtomicU64::new(0);

#[cold]
pub(super) fn count_lost() {
    WITHOUT_TRANSACTION.fetch_add(1, Ordering::Relaxed);
}

/// Returns how many spans were started where no transaction was current or where it had ended: code that a task or a
/// thread took out of it.
pub(crate) fn spans_without_transaction() -> u64 {
    WITHOUT_TRANSACTION.load(Ordering::Relaxed)
}

/// Runs a future in a span of its own, which starts when the future is first polled.
///
/// Futures that are polled in turn, as in `join!`, keep their spans apart in this way.
///
/// # Examples
///
/// ```
/// # async fn fetch() -> u32 { 1 }
/// # async fn handler() {
/// let price = opbeat_core::in_span("GET prices.example", "ext.http", fetch()).await;
/// # }
/// ```
pub fn in_span<F>(signature: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>, future: F) -> InSpan<F> {
    InSpan::new(signature.into(), kind.into(), future)
}

impl Span {
    pub(crate) fn start(active: &Arc<Active>, signature: Cow<'static, str>, kind: Cow<'static, str>) -> Self {
        let live = Context::with(|context| {
            if context.is_of(active) {
                return Live::start_current(context, Arc::clone(active), signature, kind);
            }
            let index = active.start_span(signature, kind, None)?;
            Some(Live { active: Arc::clone(active), index })
        });
        Self { live: live.flatten() }
    }

    /// Lets the span swallow what starts beneath it, so that a query through two libraries is shown once.
    pub fn leaf(self) -> Self {
        if let Some(live) = &self.live {
            Context::with(|context| {
                if context.span == Some(live.index) && context.is_of(&live.active) {
                    context.is_leaf = true;
                }
            });
        }
        self
    }

    /// Sets a fact to be shown with the span, such as `sql` or `url`.
    pub fn set_extra(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        if let Some(live) = &self.live {
            live.active.set_span_extra(live.index, key.into(), value.into());
        }
    }

    /// Returns what is known of the span, to start it again elsewhere.
    pub(super) fn record(&self) -> Option<SpanRecord> {
        let live = self.live.as_ref()?;
        live.active.span(live.index)
    }
}

impl Live {
    /// Starts a span within the current one, and makes it current.
    fn start_current(
        context: &mut Context,
        active: Arc<Active>,
        signature: Cow<'static, str>,
        kind: Cow<'static, str>,
    ) -> Option<Self> {
        if context.is_leaf && is_swallowed(context, &active) {
            return None;
        }
        let index = active.start_span(signature, kind, context.span)?;
        context.span = Some(index);
        Some(Self { active, index })
    }

    /// Ends the span. Guards may be dropped in any order, and so the nearest span that still runs becomes current.
    fn end(&self, context: &mut Context) {
        if context.is_of(&self.active) {
            let left = self.active.end_span(self.index, context.span);
            context.is_leaf &= left == context.span;
            context.span = left;
        } else {
            self.active.end_span(self.index, None);
        }
    }
}

/// Returns whether a leaf still runs. It may have ended elsewhere, where this context is a copy that was taken along.
#[cold]
fn is_swallowed(context: &mut Context, active: &Active) -> bool {
    let left = active.running(context.span);
    context.is_leaf = left == context.span;
    context.span = left;
    context.is_leaf
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(live) = self.live.take() else { return };
        if Context::with(|context| live.end(context)).is_none() {
            live.active.end_span(live.index, None);
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Span").field(&self.live.as_ref().map(|live| live.index)).finish()
    }
}
