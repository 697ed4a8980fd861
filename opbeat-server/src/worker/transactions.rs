//! From the body of `transactions/` to rollups, breakdowns and samples.

use opbeat_core::protocol::{Traces, TransactionsBody};

use super::body::{Body, cut};
use super::failure::{is_failure, result_text};
use super::traces;
use crate::queue::Envelope;
use crate::store::{Changes, SelfTime};

/// Returns what a body changes.
pub(super) fn changes(envelope: &Envelope, body: TransactionsBody) -> Changes {
    let context = Body::new(envelope, &body);
    let mut changes = Changes::default();
    count(&context, &body, &mut changes);
    for group in &body.breakdown {
        let key = context.key(&group.transaction, Some(&group.transaction_kind));
        let minute = context.minute(Some(group.timestamp)).seconds();
        let self_time = SelfTime { count: group.count, self_ms: group.self_ms };
        changes.breakdowns.entry((key, minute, cut(&group.kind))).or_default().merge(self_time);
    }
    let has_breakdown = !body.breakdown.is_empty();
    match body.traces {
        Traces::Groups(groups) => traces::aggregated(&context, groups, has_breakdown, &mut changes),
        Traces::Sampled { groups, raw } => traces::sampled(&context, groups, raw, has_breakdown, &mut changes),
    }
    changes
}

/// Adds every duration.
fn count(context: &Body<'_>, body: &TransactionsBody, changes: &mut Changes) {
    for group in &body.transactions {
        let key = context.key(&group.transaction, group.kind.as_deref());
        let minute = context.minute(group.timestamp).seconds();
        let result = result_text(group.result.as_ref());
        let is_failure = is_failure(&result);
        let rollup = changes.rollups.entry((key, minute, result)).or_default();
        group.durations.iter().for_each(|duration| rollup.insert(*duration, is_failure));
    }
    // A group without durations counts nothing.
    changes.rollups.retain(|_, rollup| rollup.count > 0);
}
