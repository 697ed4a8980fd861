//! Makes the span of an attached context of OpenTelemetry the current span of the thread.

use std::cell::RefCell;
use std::sync::{Arc, Once};

use opbeat_core::instrument::Position;
use opbeat_core::task::Entered;
use opentelemetry::Context;
use opentelemetry::context::{ContextObserver, GlobalContextObserver};

use super::live::{self, SpanIds};

/// A context that is attached to the thread.
struct Attached {
    ids: Option<SpanIds>,
    /// Keeps the position of its span current.
    _entered: Option<Entered>,
}

thread_local! {
    /// The contexts that are attached to this thread, the latest last.
    static ATTACHED: RefCell<Vec<Attached>> = const { RefCell::new(Vec::new()) };
}

/// Observes the contexts of the process from now on. If another observer exists, that one stays, and spans of
/// OpenTelemetry are the parents of each other only.
pub(super) fn observe() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| GlobalContextObserver::set(Arc::new(Observer)));
}

/// Returns whether the span with these ids is that of the thread's current context.
pub(super) fn is_current(ids: SpanIds) -> bool {
    with_attached(|attached| attached.last().is_some_and(|last| last.ids == Some(ids))).unwrap_or(false)
}

struct Observer;

/// OpenTelemetry calls these functions while its own thread-local state is borrowed, so they call nothing of it that
/// uses the current context.
impl ContextObserver for Observer {
    fn on_context_enter(&self, from: &Context, to: &Context) {
        let ids = live::ids(to);
        // A context with other values and the same span leaves the current position unchanged, which may be in a span of
        // ours inside of that span.
        let is_other = ids != live::ids(from);
        let position = if is_other { live::position(to) } else { None };
        let entered = position.as_ref().map(Position::enter);
        with_attached(|attached| attached.push(Attached { ids, _entered: entered }));
    }

    fn on_context_exit(&self, _: &Context, to: &Context) {
        let ids = live::ids(to);
        while let Some(Some(last)) = with_attached(Vec::pop) {
            drop(last);
            // Contexts that were detached in another order are not reported, and end with a later one.
            if with_attached(|attached| attached.last().is_none_or(|last| last.ids == ids)).unwrap_or(true) {
                break;
            }
        }
    }
}

fn with_attached<T>(with: impl FnOnce(&mut Vec<Attached>) -> T) -> Option<T> {
    ATTACHED.try_with(|attached| attached.try_borrow_mut().ok().map(|mut attached| with(&mut attached))).ok().flatten()
}
