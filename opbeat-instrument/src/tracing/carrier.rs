//! A span of `tracing` for each task or guard with a transaction.
//!
//! Libraries take the current span of `tracing` with them to other threads. sqlx does so for the worker thread of
//! SQLite, where all its events happen.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use opbeat_core::instrument::{Carried, Carrier, LivePosition, set_carrier};
use tracing::{Metadata, Span, trace_span};

use super::probe;

/// The name of the spans.
const NAME: &str = "opbeat.transaction";

/// The target of the spans, which a global filter has to enable.
pub(super) const TARGET: &str = "opbeat";

thread_local! {
    /// The position of the span that this thread makes now, for the layer that gets the span.
    static NEW: Cell<Option<LivePosition>> = const { Cell::new(None) };
    /// Whether this thread enters or leaves a span because its transaction is current already.
    static IS_MOVING: Cell<bool> = const { Cell::new(false) };
}

struct TransactionSpans;

/// A span that carries a transaction.
struct TransactionSpan(Span);

/// Whether a bridge of the process needs the spans.
static MAKES_SPANS: AtomicBool = AtomicBool::new(false);

/// Makes the process carry its transactions.
pub(super) fn install(makes_spans: bool) {
    MAKES_SPANS.fetch_or(makes_spans, Ordering::Relaxed);
    // Only the first bridge of the process has an effect here. All have the same carrier.
    set_carrier(TransactionSpans);
}

/// Returns whether this is the callsite of the spans that carry transactions.
pub(super) fn is_transaction(metadata: &Metadata<'_>) -> bool {
    metadata.name() == NAME && metadata.target() == TARGET && metadata.is_span()
}

/// Returns the position of the span that this thread makes now.
pub(super) fn take_new() -> Option<LivePosition> {
    NEW.try_with(Cell::take).ok().flatten()
}

/// Returns whether a span is entered or left only because its transaction is current already.
pub(super) fn is_moving() -> bool {
    IS_MOVING.try_with(Cell::get).unwrap_or(false)
}

impl Carrier for TransactionSpans {
    fn is_enabled(&self) -> bool {
        probe::warn();
        MAKES_SPANS.load(Ordering::Relaxed)
    }

    fn carry(&self, position: LivePosition) -> Option<Box<dyn Carried>> {
        NEW.try_with(|new| new.set(Some(position))).ok()?;
        let span = trace_span!(target: TARGET, NAME);
        // No bridge took it if this thread's subscriber has none, or if a filter disables the span. The position is
        // taken back in any case: it holds the transaction.
        let is_taken = take_new().is_none();
        let is_carried = is_taken && !span.is_disabled();
        is_carried.then(|| Box::new(TransactionSpan(span)) as Box<dyn Carried>)
    }
}

impl TransactionSpan {
    fn moving(&self, enter: bool) {
        let outer = IS_MOVING.try_with(|moving| moving.replace(true));
        self.0.with_subscriber(|(id, dispatch)| if enter { dispatch.enter(id) } else { dispatch.exit(id) });
        if let Ok(outer) = outer {
            let _ = IS_MOVING.try_with(|moving| moving.set(outer));
        }
    }
}

impl Carried for TransactionSpan {
    fn enter(&self) {
        self.moving(true);
    }

    fn leave(&self) {
        self.moving(false);
    }
}
