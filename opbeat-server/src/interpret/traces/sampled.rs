//! The form of Node.js, browsers and this project's agent: single sampled transactions with each of their spans.

use opbeat_protocol::{RawTransaction, SampleContext, TraceGroup};

use super::groups::{APP, ROOT, take_stack};
use super::self_time;
use crate::changes::{Changes, NewSample, SampleDocument, SampleSpan, SelfTime, to_json};
use crate::interpret::context::{BodyContext, plausible_time, result_text};
use crate::interpret::scrub;
use crate::text::start_of;

/// The maximum length of the id that an agent gives a transaction, in characters. Longer ids are cut.
const MAX_ID: usize = 64;

/// Adds the samples, and their breakdown unless the body has an exact one.
pub(in crate::interpret) fn sampled(
    body: &BodyContext<'_>,
    mut groups: Vec<TraceGroup>,
    raw: Vec<RawTransaction>,
    has_breakdown: bool,
    changes: &mut Changes,
) {
    for group in &mut groups {
        take_stack(body.origin, group, changes);
    }
    for transaction in raw {
        let Some((mut sample, document)) = sample(body, &groups, transaction) else { continue };
        if !has_breakdown {
            add_breakdown(body, &sample, &document.spans, changes);
        }
        sample.document = to_json(&document);
        changes.samples.push(sample);
    }
}

fn sample(body: &BodyContext<'_>, groups: &[TraceGroup], raw: RawTransaction) -> Option<(NewSample, SampleDocument)> {
    let first = raw.spans.first().and_then(|span| groups.get(span.group))?;
    let mut context = raw.context.unwrap_or_default();
    scrub::context(&mut context);
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
    let sample = NewSample {
        transaction: body.key(&first.transaction, first.transaction_kind.as_deref()),
        happened_at: plausible_time(body.origin, Some(happened_at)).micros(),
        duration_ms: raw.duration,
        result: result_text(context.result.as_ref()),
        outcome: context.outcome.clone().unwrap_or_default(),
        external_id: external_id(&context),
        document: Vec::new(),
    };
    Some((sample, SampleDocument { spans: nest(spans), context }))
}

/// Sets the depth of each span: as the agent sent it, or, if it sent no depths, by which spans contain others in time.
fn nest(spans: Vec<(usize, SampleSpan)>) -> Vec<SampleSpan> {
    let has_depths = spans.iter().any(|(depth, _)| *depth > 0);
    let mut ends: Vec<f64> = Vec::new();
    let depth_by_time = |ends: &mut Vec<f64>, span: &SampleSpan| {
        let end = span.start_ms + span.duration_ms;
        while ends.last().is_some_and(|outer_end| *outer_end < end) {
            ends.pop();
        }
        ends.push(end);
        ends.len() - 1
    };
    let set_depth = |(depth, mut span): (usize, SampleSpan)| {
        span.depth = if has_depths { depth } else { depth_by_time(&mut ends, &span) };
        span
    };
    spans.into_iter().map(set_depth).collect()
}

/// Returns the id that the agent gave the transaction.
///
/// Node.js sends a UUID as `id` among the extra values; this project's agent sends the id as a value of its own.
fn external_id(context: &SampleContext) -> String {
    let from_node = || context.extra.as_ref()?.get("id")?.as_str().map(str::to_owned);
    start_of(&context.id.clone().or_else(from_node).unwrap_or_default(), MAX_ID).to_owned()
}

fn add_breakdown(body: &BodyContext<'_>, sample: &NewSample, spans: &[SampleSpan], changes: &mut Changes) {
    let minute = body.minute_of(&sample.transaction.name).seconds();
    let mut add = |kind: &str, self_ms: f64| {
        let key = (sample.transaction.clone(), minute, kind.to_owned());
        changes.breakdowns.entry(key).or_default().merge(SelfTime { count: 1, self_ms });
    };
    let uncovered = self_time::each(spans, sample.duration_ms, &mut add);
    add(APP, uncovered);
}
