//! Node.js, browsers and this project's agent: sampled transactions, span by span.

use opbeat_protocol::{RawTransaction, SampleContext, TraceGroup};
use serde_json::Value;

use super::{APP, ROOT, self_time, stacks};
use crate::store::{Changes, NewSample, SampleDocument, SampleSpan, SelfTime};
use crate::worker::body::{Body, result_text};
use crate::worker::scrub;

/// Adds the samples, and their breakdown unless the body brings an exact one.
pub(in crate::worker) fn sampled(
    body: &Body<'_>,
    mut groups: Vec<TraceGroup>,
    raw: Vec<RawTransaction>,
    has_breakdown: bool,
    changes: &mut Changes,
) {
    for group in &mut groups {
        let frames = stacks::take(body.envelope, &mut group.extra);
        stacks::remember(body.envelope, &group.kind, &group.signature, frames, changes);
        scrub::map(&mut group.extra);
    }
    for transaction in raw {
        let Some(sample) = sample(body, &groups, transaction) else { continue };
        if !has_breakdown {
            add_breakdown(body, &sample, changes);
        }
        changes.samples.push(sample);
    }
}

fn sample(body: &Body<'_>, groups: &[TraceGroup], raw: RawTransaction) -> Option<NewSample> {
    let first = raw.spans.first().and_then(|span| groups.get(span.group))?;
    let mut context = raw.context.unwrap_or_default();
    scrub_context(&mut context);
    let happened_at = context.timestamp.or(first.timestamp).unwrap_or_else(|| body.minute_of(&first.transaction));
    let mut spans: Vec<(usize, SampleSpan)> = raw
        .spans
        .iter()
        .filter_map(|span| {
            let group = groups.get(span.group).filter(|group| group.kind != ROOT)?;
            let extra = group.extra.clone();
            let (signature, kind) = (group.signature.clone(), group.kind.clone());
            let span = SampleSpan {
                signature,
                kind,
                start_ms: span.start,
                duration_ms: span.duration,
                extra,
                ..SampleSpan::default()
            };
            Some((group.parents.len().saturating_sub(1), span))
        })
        .collect();
    spans.sort_by(|(a_depth, a), (b_depth, b)| a.start_ms.total_cmp(&b.start_ms).then(a_depth.cmp(b_depth)));
    Some(NewSample {
        transaction: body.key(&first.transaction, first.transaction_kind.as_deref()),
        happened_at: crate::worker::time::plausible(Some(happened_at), body.envelope.received()).micros(),
        duration_ms: raw.duration,
        result: result_text(context.result.as_ref()),
        outcome: context.outcome.clone().unwrap_or_default(),
        external_id: external_id(&context),
        document: SampleDocument { spans: nest(spans), context },
    })
}

/// Sets how deep each span lies: as the agent says, or where it tells no depth, by what lies within what.
fn nest(spans: Vec<(usize, SampleSpan)>) -> Vec<SampleSpan> {
    let tells_depth = spans.iter().any(|(depth, _)| *depth > 0);
    let mut ends: Vec<f64> = Vec::new();
    let depth_by_time = |ends: &mut Vec<f64>, span: &SampleSpan| {
        let end = span.start_ms + span.duration_ms;
        while ends.last().is_some_and(|around| *around < end) {
            ends.pop();
        }
        ends.push(end);
        ends.len() - 1
    };
    let set_depth = |(depth, mut span): (usize, SampleSpan)| {
        span.depth = if tells_depth { depth } else { depth_by_time(&mut ends, &span) };
        span
    };
    spans.into_iter().map(set_depth).collect()
}

/// This project's agent tells the transaction's id, and Node.js its UUID among the extra values.
fn external_id(context: &SampleContext) -> String {
    let from_node = || context.extra.as_ref()?.get("id")?.as_str().map(str::to_owned);
    context.id.clone().or_else(from_node).unwrap_or_default().chars().take(64).collect()
}

fn add_breakdown(body: &Body<'_>, sample: &NewSample, changes: &mut Changes) {
    let minute = body.minute_of(&sample.transaction.name).seconds();
    let mut add = |kind: &str, self_ms: f64| {
        let key = (sample.transaction.clone(), minute, kind.to_owned());
        changes.breakdowns.entry(key).or_default().merge(SelfTime { count: 1, self_ms });
    };
    let rest = self_time::each(&sample.document.spans, sample.duration_ms, &mut add);
    add(APP, rest);
}

fn scrub_context(context: &mut SampleContext) {
    let values = [&mut context.http, &mut context.user, &mut context.tags, &mut context.extra, &mut context.result];
    values.into_iter().flatten().for_each(|value: &mut Value| scrub::value(value));
    scrub::map(&mut context.other);
}
