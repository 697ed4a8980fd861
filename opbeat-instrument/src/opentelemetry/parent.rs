//! The parent of a new span.

use opbeat_core::instrument::Position;
use opentelemetry::Context;

use super::{attached, live};

/// Returns the position in which a span with this context starts.
pub(super) fn find(context: &Context) -> Option<Position> {
    let current = Position::current();
    let Some(parent) = live::position(context) else { return current };
    if let Some(current) = &current
        && live::ids(context).is_some_and(attached::is_current)
        && parent.transaction().id() == current.transaction().id()
    {
        // Spans of ours may have started in the context's span.
        return Some(current.clone());
    }
    // Work that outlives its transaction may continue in one of its own.
    if parent.is_running() { Some(parent) } else { current.or(Some(parent)) }
}
