//! Turns the body of `transactions/` into rollups, breakdowns, samples and drops.

use std::collections::BTreeMap;

use opbeat_protocol::{DROP_REASONS, Traces, TransactionsBody};

use super::context::{BodyContext, Counted, cut_name, placed_time, result_text};
use super::origin::OTHER_TIME;
use super::{check_ins, scrub, traces};
use crate::changes::{Changes, DropKey, SelfTime};
use crate::interpret::Origin;
use crate::result_class::ResultClass;

/// Returns the changes of a body.
pub(super) fn changes(origin: &Origin, mut body: TransactionsBody) -> Changes {
    scrub::names(&mut body);
    let TransactionsBody { transactions, traces, breakdown, drops, check_ins, .. } = body;
    let context = BodyContext::new(origin, &transactions, &traces, &breakdown);
    let mut changes = Changes::default();
    count(&context, &mut changes);
    for group in &breakdown {
        let key = context.key(&group.transaction, Some(&group.transaction_kind));
        let minute = context.minute(Some(group.timestamp)).seconds();
        let self_time = SelfTime { count: group.count, self_ms: group.self_ms, samples: 0 };
        changes.breakdowns.entry((key, minute, cut_name(&group.kind))).or_default().merge(self_time);
    }
    // Only this project's agent sends samples without counts. It sends the breakdown with the counts, in another body.
    let has_breakdown = !breakdown.is_empty() || transactions.is_empty();
    count_drops(&context, &drops, &mut changes);
    check_ins::add(origin, check_ins, &mut changes);
    match traces {
        Traces::Groups(groups) => traces::aggregated(&context, groups, has_breakdown, &mut changes),
        Traces::Sampled { groups, raw } => traces::sampled(&context, groups, raw, has_breakdown, &mut changes),
    }
    changes
}

/// Counts the data that the agent dropped, by reason. Unknown reasons are ignored.
fn count_drops(context: &BodyContext<'_>, drops: &BTreeMap<String, u64>, changes: &mut Changes) {
    for (sent, count) in drops.iter().filter(|(_, count)| **count > 0) {
        let Some(reason) = drop_reason(sent) else { continue };
        let app_id = context.origin.app_id.clone();
        let key = DropKey { app_id, minute: context.minute(None).seconds(), reason: reason.to_owned() };
        let total = changes.drops.entry(key).or_default();
        *total = total.saturating_add(*count);
    }
}

/// Returns the reason under which drops are counted, if it is known. Earlier agents send `refused` for `rejected`.
fn drop_reason(sent: &str) -> Option<&str> {
    match sent {
        "refused" | "rejected" => Some("rejected"),
        _ => DROP_REASONS.contains(&sent).then_some(sent),
    }
}

/// Adds every duration.
fn count(context: &BodyContext<'_>, changes: &mut Changes) {
    for Counted { key, minute, group } in context.all_counted() {
        let result = result_text(group.result.as_ref());
        let is_failure = ResultClass::of(&result).is_failed();
        if placed_time(context.origin, group.timestamp).claimed.is_some() {
            let total = changes.notes.entry(context.origin.note(OTHER_TIME)).or_default();
            *total = total.saturating_add(group.durations.len() as u64);
        }
        let rollup = changes.rollups.entry((key.clone(), minute.seconds(), result)).or_default();
        // Without head times, the durations count as such.
        let heads = group.head_durations.iter().copied().map(Some).chain(std::iter::repeat(None));
        group.durations.iter().zip(heads).for_each(|(duration, head)| rollup.insert(*duration, head, is_failure));
    }
    // Groups without durations have created empty rollups.
    changes.rollups.retain(|_, rollup| rollup.count > 0);
}

#[cfg(test)]
mod tests {
    use opbeat_protocol::Timestamp;
    use serde_json::json;

    use super::*;

    #[test]
    fn drops_are_counted_by_known_reasons() {
        let origin = Origin { app_id: "shop".to_owned(), received: Timestamp::from_seconds(60), ..Origin::default() };
        let drops = json!({"refused": 2, "rejected": 1, "spans": 3, "samples": 0, "unknown": 4});
        let body = serde_json::from_value(json!({"transactions": [], "traces": [], "drops": drops})).unwrap();
        let drops = changes(&origin, body).drops;
        let drops: Vec<_> = drops.iter().map(|(key, count)| (key.minute, key.reason.as_str(), *count)).collect();
        assert_eq!(drops, [(60, "rejected", 3), (60, "spans", 3)]);
    }
}
