//! From the body of `transactions/` to rollups, breakdowns and samples.

use std::collections::BTreeMap;

use opbeat_protocol::{DROP_REASONS, Traces, TransactionsBody};

use super::body::{Body, cut, result_text};
use super::{scrub, traces};
use crate::queue::Envelope;
use crate::result_class::ResultClass;
use crate::store::{Changes, LossKey, SelfTime};

/// Returns what a body changes.
pub(super) fn changes(envelope: &Envelope, mut body: TransactionsBody) -> Changes {
    scrub::names(&mut body);
    let context = Body::new(envelope, &body);
    let mut changes = Changes::default();
    count(&context, &body, &mut changes);
    for group in &body.breakdown {
        let key = context.key(&group.transaction, Some(&group.transaction_kind));
        let minute = context.minute(Some(group.timestamp)).seconds();
        let self_time = SelfTime { count: group.count, self_ms: group.self_ms };
        changes.breakdowns.entry((key, minute, cut(&group.kind))).or_default().merge(self_time);
    }
    // Samples that come without counts are this project's agent's, which sends the time of all with the counts.
    let has_breakdown = !body.breakdown.is_empty() || body.transactions.is_empty();
    lose(&context, &body.drops, &mut changes);
    match body.traces {
        Traces::Groups(groups) => traces::aggregated(&context, groups, has_breakdown, &mut changes),
        Traces::Sampled { groups, raw } => traces::sampled(&context, groups, raw, has_breakdown, &mut changes),
    }
    changes
}

/// Notes what the agent left out. Words that no agent sends are not kept.
fn lose(context: &Body<'_>, drops: &BTreeMap<String, u64>, changes: &mut Changes) {
    for what in DROP_REASONS {
        let Some(count) = drops.get(what).filter(|count| **count > 0) else { continue };
        let app_id = context.envelope.app_id.clone();
        let key = LossKey { app_id, minute: context.minute(None).seconds(), what: what.to_owned() };
        changes.losses.insert(key, *count);
    }
}

/// Adds every duration.
fn count(context: &Body<'_>, body: &TransactionsBody, changes: &mut Changes) {
    for group in &body.transactions {
        let key = context.key(&group.transaction, group.kind.as_deref());
        let minute = context.minute(group.timestamp).seconds();
        let result = result_text(group.result.as_ref());
        let is_failure = ResultClass::of(&result).is_failed();
        let rollup = changes.rollups.entry((key, minute, result)).or_default();
        group.durations.iter().for_each(|duration| rollup.insert(*duration, is_failure));
    }
    // A group without durations counts nothing.
    changes.rollups.retain(|_, rollup| rollup.count > 0);
}
