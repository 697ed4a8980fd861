//! A part of a transaction that is measured by itself.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::running::{Active, FinishedSpan, SpanRef, StartedSpan, count_span_without_transaction};
use super::scope::Context;
use crate::clock::Instant;
use crate::record::{SpanRecord, Value};

/// A running part of a transaction, such as a database query. It ends when it is dropped.
///
/// Spans that start while it runs become its children.
#[derive(Default)]
#[must_use = "a span ends when it is dropped"]
pub struct Span {
    pub(super) running: Option<RunningSpan>,
}

/// A span that is recorded.
pub(super) struct RunningSpan {
    pub(super) active: Arc<Active>,
    pub(super) span: StartedSpan,
    /// Spans that start in it are not recorded.
    pub(super) is_leaf: bool,
}

/// Starts a span in the current transaction, or a span that does nothing if there is none.
///
/// `signature` is a short name for similar spans, such as `SELECT FROM books`. `kind` is dotted, from the general to
/// the specific, such as `db.sqlite.query`.
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
    let running = Context::with(|context| {
        context.continue_late();
        let Some(active) = &context.transaction else {
            count_span_without_transaction();
            return None;
        };
        RunningSpan::start_current(context, Arc::clone(active), signature.into(), kind.into())
    });
    Span { running: running.flatten() }
}

impl Span {
    pub(super) fn start(active: &Arc<Active>, signature: Cow<'static, str>, kind: Cow<'static, str>) -> Self {
        let running = Context::with(|context| {
            if context.is_of(active) {
                return RunningSpan::start_current(context, Arc::clone(active), signature, kind);
            }
            RunningSpan::start(Arc::clone(active), signature, kind, None)
        });
        Self { running: running.flatten() }
    }

    /// Starts a span as a child of another one, and leaves the current span unchanged.
    pub(super) fn start_in(
        active: &Arc<Active>,
        parent: Option<SpanRef>,
        signature: Cow<'static, str>,
        kind: Cow<'static, str>,
    ) -> Self {
        Self { running: RunningSpan::start(Arc::clone(active), signature, kind, parent) }
    }

    /// Makes the span a leaf: spans that start in it are not recorded. A query that passes through two instrumented
    /// libraries is then shown once. Equal leaf spans with the same parent are combined into one, with their number and
    /// their total time.
    pub fn leaf(mut self) -> Self {
        if let Some(running) = &mut self.running {
            running.is_leaf = true;
            Context::with(|context| {
                let is_current = running.span.kept().is_some_and(|span| context.span == Some(span));
                if is_current && context.is_of(&running.active) {
                    context.set_span(context.span, true);
                }
            });
        }
        self
    }

    /// Sets an extra value that is shown with the span, such as `sql` or `url`. At most 64 are kept.
    pub fn set_extra(&self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        if let Some(running) = &self.running
            && let Some(span) = running.span.kept()
        {
            running.active.set_span_extra(span, key.into(), value.into());
        }
    }

    /// Ends the span with the signature, the kind, the times and the extra values of `end`, which replace its own. It is
    /// for libraries that report these only at the end, or that report times of the past.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use opbeat_core::instrument::{FinishedSpan, Position};
    ///
    /// if let Some(span) = Position::current().map(|position| position.start("query", "db.sqlite.query")) {
    ///     let end = FinishedSpan::new("SELECT FROM books", "db.sqlite.query", Duration::from_millis(3));
    ///     span.end_as(end.ended_at(Instant::now()));
    /// }
    /// ```
    pub fn end_as(mut self, mut end: FinishedSpan) {
        if let Some(running) = &mut self.running {
            // A time in the future would end after the transaction.
            end.ended = end.ended.min(Instant::now());
            let ended = end.ended;
            running.is_leaf |= end.is_leaf;
            running.active.describe_span(&mut running.span, end);
            self.end_at(ended);
        }
    }

    fn end_at(&mut self, ended: Instant) {
        let Some(mut running) = self.running.take() else { return };
        if Context::with(|context| running.end(context, ended)).is_none() {
            running.end_elsewhere(ended);
        }
    }

    /// Returns a copy of the span's record, to start the span again in another transaction.
    pub(super) fn record(&self) -> Option<SpanRecord> {
        let running = self.running.as_ref()?;
        running.active.span(running.span.kept()?)
    }
}

impl RunningSpan {
    /// Starts a span as a child of the current one, and makes it current.
    fn start_current(
        context: &mut Context,
        active: Arc<Active>,
        signature: Cow<'static, str>,
        kind: Cow<'static, str>,
    ) -> Option<Self> {
        if context.is_leaf && is_in_leaf(context, &active) {
            return None;
        }
        let started = Self::start(active, signature, kind, context.span)?;
        if let Some(span) = started.span.kept() {
            context.set_span(Some(span), context.is_leaf);
        }
        Some(started)
    }

    fn start(
        active: Arc<Active>,
        signature: Cow<'static, str>,
        kind: Cow<'static, str>,
        parent: Option<SpanRef>,
    ) -> Option<Self> {
        let span = active.start_span(signature, kind, parent)?;
        Some(Self { active, span, is_leaf: false })
    }

    /// Ends the span. Spans may end in any order, so its nearest ancestor that still runs becomes current.
    fn end(&mut self, context: &mut Context, ended: Instant) {
        if context.is_of(&self.active) {
            let left = self.active.end_span(&mut self.span, context.span, ended, (self.is_leaf, true));
            context.set_span(left, context.is_leaf && left == context.span);
        } else {
            self.end_elsewhere(ended);
        }
    }

    /// Ends the span on a thread that does not run the transaction's code.
    fn end_elsewhere(&mut self, ended: Instant) {
        self.active.end_span(&mut self.span, None, ended, (self.is_leaf, false));
    }
}

/// Returns whether the current leaf still runs. If this context is a copy for another task, the leaf may have ended in
/// the original one.
#[cold]
fn is_in_leaf(context: &mut Context, active: &Active) -> bool {
    let left = active.nearest_running_span(context.span);
    context.set_span(left, left == context.span);
    context.is_leaf
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.end_at(Instant::now());
        }
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Span").field(&self.running.as_ref().and_then(|running| running.span.kept())).finish()
    }
}
