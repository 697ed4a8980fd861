//! From the body of `transactions/` to rollups, breakdowns and samples.

use std::collections::BTreeMap;

use opbeat_core::protocol::{Timestamp, Traces, TransactionsBody};

use super::failure::{is_failure, result_text};
use super::{time, traces};
use crate::queue::Envelope;
use crate::store::{Changes, SelfTime, TransactionKey};

/// Longer names are cut.
const MAX_NAME: usize = 512;

/// What the parts of one body need to know of the rest.
pub(super) struct Body<'a> {
    pub(super) envelope: &'a Envelope,
    /// The first minute of each name, for traces that come without one.
    minutes: BTreeMap<String, Timestamp>,
}

/// Returns what a body changes.
pub(super) fn changes(envelope: &Envelope, body: TransactionsBody) -> Changes {
    let context = Body::new(envelope, &body);
    let mut changes = Changes::default();
    context.count(&body, &mut changes);
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

impl<'a> Body<'a> {
    fn new(envelope: &'a Envelope, body: &TransactionsBody) -> Self {
        let mut minutes = BTreeMap::new();
        for group in &body.transactions {
            let at = time::plausible(group.timestamp, envelope.received());
            minutes.entry(group.transaction.clone()).or_insert(at);
        }
        Self { envelope, minutes }
    }

    fn count(&self, body: &TransactionsBody, changes: &mut Changes) {
        for group in &body.transactions {
            let key = self.key(&group.transaction, group.kind.as_deref());
            let minute = self.minute(group.timestamp).seconds();
            let result = result_text(group.result.as_ref());
            let is_failure = is_failure(&result);
            let rollup = changes.rollups.entry((key, minute, result)).or_default();
            group.durations.iter().for_each(|duration| rollup.insert(*duration, is_failure));
        }
        // A group without durations counts nothing.
        changes.rollups.retain(|_, rollup| rollup.count > 0);
    }

    /// Names a transaction. Where the agent sends no kind, its framework tells it.
    pub(super) fn key(&self, name: &str, kind: Option<&str>) -> TransactionKey {
        let kind = kind.filter(|kind| !kind.is_empty()).map_or_else(|| self.kind_of(name), cut);
        TransactionKey { app_id: self.envelope.app_id.clone(), kind, name: cut(name) }
    }

    pub(super) fn minute(&self, claimed: Option<Timestamp>) -> Timestamp {
        time::plausible(claimed, self.envelope.received()).minute()
    }

    /// Returns the minute of a name's transactions.
    pub(super) fn minute_of(&self, name: &str) -> Timestamp {
        self.minutes.get(name).copied().unwrap_or_else(|| self.envelope.received()).minute()
    }

    /// The Python agent tells its framework beside the body, and names requests after their method.
    fn kind_of(&self, name: &str) -> String {
        const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "DELETE ", "HEAD ", "OPTIONS ", "PATCH "];
        let is_request = name.is_empty() || METHODS.iter().any(|method| name.starts_with(method));
        let framework = self.envelope.platform.split(' ').find_map(|part| part.strip_prefix("framework="));
        match framework.and_then(|framework| framework.split('/').next()) {
            Some(framework) if is_request => format!("web.{}", cut(framework)),
            _ => String::new(),
        }
    }
}

/// Cuts a name to what is kept.
pub(super) fn cut(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}
