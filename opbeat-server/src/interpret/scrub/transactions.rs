//! Scrubs the names and the contexts of transactions.

use std::mem;

use opbeat_protocol::{BreakdownGroup, CheckIn, SampleContext, TraceGroup, Traces, TransactionGroup, TransactionsBody};

use super::values::{map, option, scrub_id, scrub_text, value};

/// Removes secrets from the names in a body. Equal names stay equal, so that its parts still belong together.
///
/// Samples and the extra values of groups are scrubbed when they are interpreted. The keys of drops are known words, and
/// the machine is not stored.
pub(in crate::interpret) fn names(body: &mut TransactionsBody) {
    let TransactionsBody { transactions, traces, breakdown, machine: _, drops: _, check_ins } = body;
    for group in transactions {
        let TransactionGroup { transaction, result, kind, timestamp: _, durations: _, head_durations: _ } = group;
        scrub_text(transaction);
        option(kind);
        result.iter_mut().for_each(value);
    }
    for part in breakdown {
        let BreakdownGroup { transaction, transaction_kind, timestamp: _, kind, count: _, self_ms: _ } = part;
        [transaction, transaction_kind, kind].into_iter().for_each(scrub_text);
    }
    for check_in in check_ins {
        let CheckIn { monitor, schedule, timezone, grace_seconds: _, started: _, duration_ms: _, result } = check_in;
        [monitor, schedule].into_iter().for_each(scrub_text);
        [timezone, result].into_iter().for_each(option);
    }
    let (Traces::Groups(groups) | Traces::Sampled { groups, raw: _ }) = traces;
    for group in groups {
        let TraceGroup {
            transaction,
            transaction_kind,
            signature,
            kind,
            parents,
            durations: _,
            start_time: _,
            timestamp: _,
            extra: _,
        } = group;
        let names = [transaction, signature, kind].into_iter();
        names.chain(transaction_kind).chain(parents).for_each(scrub_text);
    }
}

/// Removes secrets from the context of a sample.
pub(in crate::interpret) fn context(context: &mut SampleContext) {
    let SampleContext {
        id,
        timestamp: _,
        result,
        outcome,
        head_ms: _,
        queued_ms: _,
        busy_ms: _,
        request_bytes: _,
        response_bytes: _,
        trace_id,
        parent,
        parent_span,
        dropped_spans: _,
        dropped,
        rev,
        http,
        user,
        tags,
        extra,
        other,
    } = context;
    [id, trace_id, parent, parent_span, rev].into_iter().flatten().for_each(scrub_id);
    option(outcome);
    [result, http, user, tags, extra].into_iter().flatten().for_each(value);
    map(other);
    if let Some(dropped) = dropped {
        let kinds = mem::take(dropped).into_iter();
        *dropped = kinds.map(|(kind, spans)| (scrubbed(kind), spans)).collect();
    }
}

fn scrubbed(mut text: String) -> String {
    scrub_text(&mut text);
    text
}
