//! Groups of spans, which both forms of traces consist of.

use opbeat_protocol::TraceGroup;

use crate::changes::{Changes, NewSpanStack, to_json};
use crate::interpret::Origin;
use crate::interpret::{frames, scrub};

/// The kind of the time that no span covers.
pub(super) const APP: &str = "app";

/// The signature and the kind of the span that stands for the whole transaction.
pub(super) const ROOT: &str = "transaction";

/// Moves a group's stack from its extra values to the changes, and removes secrets from the other extra values.
pub(super) fn take_stack(origin: &Origin, group: &mut TraceGroup, changes: &mut Changes) {
    let mut stack = frames::take_span_stack(origin, &mut group.extra);
    scrub::map(&mut group.extra);
    if stack.is_empty() {
        return;
    }
    scrub::frames(&mut stack);
    changes.span_stacks.push(NewSpanStack {
        app_id: origin.app_id.clone(),
        kind: group.kind.clone(),
        signature: group.signature.clone(),
        frames: to_json(&stack),
    });
}
