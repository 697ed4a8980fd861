//! Encodes records in the wire format.

mod error;
mod groups;
mod values;
mod zlib;

use std::collections::BTreeMap;

use groups::Groups;
use serde_json::{Map, Value as Json};
use values::{http, milliseconds, result, round, user, values};
use zlib::length;
pub(super) use zlib::zlib;

use crate::record::{
    BreakdownRecord, CheckInRecord, DroppedSpans, Drops, DurationGroup, SpanRecord, TransactionRecord,
};
use opbeat_protocol::{
    BreakdownGroup, CheckIn, Machine, RawSpan, RawTransaction, SampleContext, SpanDetails, Traces, TransactionGroup,
    TransactionsBody,
};

/// The machine and the release that every body contains.
#[derive(Clone, Debug)]
pub(super) struct AgentIdentity {
    pub(super) hostname: String,
    pub(super) release: Option<String>,
}

impl AgentIdentity {
    /// Makes a body for `transactions/` with counts.
    pub(super) fn counts(
        &self,
        durations: &[DurationGroup],
        breakdown: &[BreakdownRecord],
        check_ins: &[CheckInRecord],
        drops: Drops,
    ) -> TransactionsBody {
        TransactionsBody {
            transactions: durations.iter().map(transaction_group).collect(),
            traces: Traces::default(),
            breakdown: breakdown.iter().map(breakdown_group).collect(),
            machine: self.machine(),
            drops: drops
                .reasons()
                .filter(|(_, count)| *count > 0)
                .map(|(kind, count)| (kind.to_owned(), count))
                .collect(),
            check_ins: check_ins.iter().map(check_in).collect(),
        }
    }

    /// Makes a body for `transactions/` with as many samples as fit into this number of bytes of JSON, at least one.
    /// Also returns their number.
    pub(super) fn samples(&self, samples: &[TransactionRecord], bytes: usize) -> (TransactionsBody, usize) {
        let (mut groups, mut raw, mut size) = (Groups::default(), Vec::new(), 0);
        for sample in samples {
            let known = groups.list.len();
            let encoded = self.raw(sample, &mut groups);
            size += length(&encoded) + groups.list[known..].iter().map(length).sum::<usize>();
            if size > bytes && !raw.is_empty() {
                groups.truncate(known);
                break;
            }
            raw.push(encoded);
        }
        let count = raw.len();
        let traces = Traces::Sampled { groups: groups.list, raw };
        (TransactionsBody { traces, machine: self.machine(), ..TransactionsBody::default() }, count)
    }

    fn raw(&self, sample: &TransactionRecord, groups: &mut Groups) -> RawTransaction {
        let duration = milliseconds(sample.duration);
        let root = RawSpan { group: groups.root(sample), start: 0.0, duration, details: None };
        let spans = sample.spans.iter().map(|span| RawSpan {
            group: groups.span(sample, span),
            start: milliseconds(span.start),
            duration: milliseconds(span.duration.unwrap_or_else(|| sample.duration.saturating_sub(span.start))),
            details: details(span).map(Box::new),
        });
        let spans = std::iter::once(root).chain(spans).collect();
        RawTransaction { duration, spans, context: Some(self.context(sample)) }
    }

    fn context(&self, sample: &TransactionRecord) -> SampleContext {
        SampleContext {
            id: Some(sample.id.to_string()),
            timestamp: Some(sample.started_at.into()),
            result: Some(result(&sample.result)),
            outcome: Some(sample.outcome.as_str().to_owned()),
            head_ms: sample.head.map(milliseconds),
            queued_ms: sample.queued.map(milliseconds),
            busy_ms: sample.busy.map(milliseconds),
            // A transaction without a caller begins a trace that has its own id.
            trace_id: Some(
                sample.trace.map_or_else(|| sample.id.to_string(), |trace| format!("{:032x}", trace.trace_id)),
            ),
            parent_span: sample.trace.map(|trace| format!("{:016x}", trace.parent_id)),
            parent: sample.parent.map(|parent| parent.to_string()),
            request_bytes: sample.request_bytes,
            response_bytes: sample.response_bytes,
            dropped_spans: (sample.dropped_spans > 0).then(|| sample.dropped_spans.into()),
            dropped: dropped(&sample.dropped),
            rev: self.release.clone(),
            http: sample.request.as_ref().map(|request| Json::Object(http(request, &sample.response_headers))),
            user: sample.user.as_ref().map(|found| Json::Object(user(found))),
            tags: values(&sample.tags).map(Json::Object),
            extra: values(&sample.extra).map(Json::Object),
            other: Map::new(),
        }
    }

    fn machine(&self) -> Option<Machine> {
        Some(Machine { hostname: self.hostname.clone() })
    }
}

/// Returns the properties that only few spans have.
fn details(span: &SpanRecord) -> Option<SpanDetails> {
    let is_combined = span.count > 1;
    let details = SpanDetails {
        count: is_combined.then(|| span.count.into()),
        total_ms: is_combined.then(|| milliseconds(span.total)),
        n_plus_one: span.n_plus_one,
        id: span.id.map(|id| format!("{id:016x}")),
    };
    (details != SpanDetails::default()).then_some(details)
}

fn dropped(dropped: &[DroppedSpans]) -> Option<BTreeMap<String, opbeat_protocol::DroppedSpans>> {
    let by_kind = dropped.iter().map(|spans| {
        let total_ms = milliseconds(spans.total);
        (spans.kind.to_string(), opbeat_protocol::DroppedSpans { count: spans.count, total_ms })
    });
    (!dropped.is_empty()).then(|| by_kind.collect())
}

fn transaction_group(group: &DurationGroup) -> TransactionGroup {
    TransactionGroup {
        transaction: group.name.clone(),
        result: Some(result(&group.result)),
        kind: Some(group.kind.to_string()),
        timestamp: Some(group.minute.into()),
        durations: rounded(&group.milliseconds),
        head_durations: rounded(&group.head_milliseconds),
    }
}

fn rounded(milliseconds: &[f32]) -> Vec<f64> {
    milliseconds.iter().map(|milliseconds| round(f64::from(*milliseconds))).collect()
}

fn check_in(record: &CheckInRecord) -> CheckIn {
    CheckIn {
        monitor: record.monitor.clone(),
        schedule: record.schedule.clone(),
        timezone: record.time_zone.clone(),
        grace_seconds: record.grace.map(|grace| grace.as_secs()),
        started: record.started_at.into(),
        duration_ms: record.end.map(|(duration, _)| milliseconds(duration)),
        result: record.end.map(|(_, result)| result.to_owned()),
    }
}

fn breakdown_group(record: &BreakdownRecord) -> BreakdownGroup {
    BreakdownGroup {
        transaction: record.name.clone(),
        transaction_kind: record.kind.to_string(),
        timestamp: record.minute.into(),
        kind: record.span_kind.to_string(),
        count: record.count,
        self_ms: milliseconds(record.self_time),
    }
}
