//! The form of Node.js, browsers and this project's agent: single sampled transactions with each of their spans.

use std::collections::HashMap;

use opbeat_protocol::{RawTransaction, SampleContext, Timestamp, TraceGroup};
use serde_json::Value;

use super::breakdown::Breakdown;
use super::document::{Budget, Builder};
use super::estimate::{self, Profile, Profiles};
use super::groups::{Group, prepare};
use super::self_time::{self, TimedSpan};
use crate::changes::{Changes, NewSample, SampleSpan, TransactionKey, to_json};
use crate::interpret::context::{BodyContext, placed_time, result_text};
use crate::interpret::scrub;
use crate::text::start_of;

/// The maximum length of the id that an agent gives a transaction, in characters. Longer ids are cut.
const MAX_ID: usize = 64;

/// Adds the samples, and their breakdown unless the body has an exact one.
pub(in crate::interpret) fn sampled(
    body: &BodyContext<'_>,
    groups: Vec<TraceGroup>,
    raw: Vec<RawTransaction>,
    has_breakdown: bool,
    changes: &mut Changes,
) {
    let groups = prepare(body.origin, groups, changes);
    let mut budget = Budget::of(&groups);
    let mut results = Results::default();
    let mut profiles = Profiles::new();
    let received = groups.len() + raw.iter().map(|raw| raw.spans.len()).sum::<usize>() + body.all_counted().count();
    for raw in raw {
        let Some(first) = raw.spans.iter().find_map(|span| groups.get(span.group)) else { continue };
        let key = body.key(&first.sent.transaction, first.sent.transaction_kind.as_deref());
        let spans = spans(&groups, &raw);
        if !has_breakdown {
            let timed: Vec<TimedSpan<'_>> = spans.iter().map(|(group, span)| timed(&groups[*group], span)).collect();
            let parts = self_time::by_kind(&timed, raw.duration);
            let profile = Profile { duration_ms: raw.duration, parts };
            profiles.entry(key.clone()).or_default().push(profile);
        }
        let mut builder = Builder::new(&groups, &mut budget);
        spans.into_iter().for_each(|(group, span)| builder.add(group, span));
        changes.samples.push(sample(body, first, key, raw, builder, &mut results));
    }
    if !has_breakdown {
        estimate::add(body, profiles, &mut Breakdown::new(changes, received));
    }
}

fn sample<'a>(
    body: &BodyContext<'a>,
    first: &Group,
    key: TransactionKey,
    raw: RawTransaction,
    builder: Builder<'_>,
    results: &mut Results,
) -> NewSample {
    let mut context = raw.context.unwrap_or_default();
    scrub::context(&mut context);
    let name = &first.sent.transaction;
    let sent = context.timestamp.or(first.sent.timestamp);
    let time = placed_time(body.origin, Some(sent.unwrap_or_else(|| body.minute_of(name))));
    let result = match &context.result {
        None | Some(Value::Null) => results.find(body, name, &key, time.at.minute(), raw.duration),
        sent => result_text(sent.as_ref()),
    };
    let mut document = builder.finish();
    let (outcome, external_id) = (context.outcome.clone().unwrap_or_default(), external_id(&context));
    document.claimed_at = time.claimed.filter(|_| time.is_replaced()).map(Timestamp::micros);
    document.context = context;
    NewSample {
        transaction: key,
        happened_at: time.at.micros(),
        duration_ms: raw.duration,
        result,
        outcome,
        external_id,
        average_of: 0,
        document: to_json(&document),
    }
}

/// Returns the spans in the order of their start, parents before their children, each with the index of its group.
fn spans(groups: &[Group], raw: &RawTransaction) -> Vec<(usize, SampleSpan)> {
    let span = |span: &opbeat_protocol::RawSpan| {
        let group = groups.get(span.group).filter(|group| !group.is_root())?;
        let depth = group.sent.parents.len().saturating_sub(1);
        let (start_ms, duration_ms) = (span.start, span.duration);
        let mut shown = SampleSpan { depth, start_ms, duration_ms, ..SampleSpan::default() };
        if let Some(details) = &span.details {
            shown.count = details.count.unwrap_or(0);
            shown.total_ms = details.total_ms;
            shown.n_plus_one = details.n_plus_one;
            shown.id = details.id.as_deref().and_then(|id| u64::from_str_radix(id, 16).ok());
        }
        Some((span.group, shown))
    };
    let mut spans: Vec<(usize, SampleSpan)> = raw.spans.iter().filter_map(span).collect();
    spans.sort_by(|(_, a), (_, b)| a.start_ms.total_cmp(&b.start_ms).then(a.depth.cmp(&b.depth)));
    // Node.js and browsers send no depths. Combined spans do not contain the spans between them, and their agent does.
    if spans.iter().all(|(_, span)| span.depth == 0 && span.count == 0) {
        nest(&mut spans);
    }
    spans
}

/// Sets the depth of each span by which spans contain others in time.
fn nest(spans: &mut [(usize, SampleSpan)]) {
    let mut ends: Vec<f64> = Vec::new();
    for (_, span) in spans {
        let end = span.start_ms + span.duration_ms;
        while ends.last().is_some_and(|outer_end| *outer_end < end) {
            ends.pop();
        }
        span.depth = ends.len();
        ends.push(end);
    }
}

fn timed<'g>(group: &'g Group, span: &SampleSpan) -> TimedSpan<'g> {
    let SampleSpan { depth, start_ms, duration_ms, .. } = *span;
    TimedSpan { kind: &group.sent.kind, depth, start_ms, duration_ms }
}

/// The results of the counted transactions. Node.js sends none with a sample, but counts its duration under a result.
#[derive(Default)]
struct Results {
    /// The index of the counted group of each transaction, minute and duration, and of each transaction and duration.
    by_duration: HashMap<TransactionKey, HashMap<(Option<Timestamp>, u64), usize>>,
}

impl Results {
    /// Returns the result of the counted transaction with the same duration, in the same minute if there is one.
    fn find(
        &mut self,
        body: &BodyContext<'_>,
        name: &str,
        key: &TransactionKey,
        minute: Timestamp,
        duration: f64,
    ) -> String {
        let counted = body.counted(name);
        let known = self.by_duration.entry(key.clone()).or_insert_with(|| {
            let mut known = HashMap::new();
            for (index, counted) in counted.iter().enumerate().filter(|(_, counted)| counted.key == *key) {
                for duration in &counted.group.durations {
                    known.entry((Some(counted.minute), duration.to_bits())).or_insert(index);
                    known.entry((None, duration.to_bits())).or_insert(index);
                }
            }
            known
        });
        let found = [Some(minute), None].into_iter().find_map(|minute| known.get(&(minute, duration.to_bits())));
        let group = found.and_then(|index| counted.get(*index));
        result_text(group.and_then(|counted| counted.group.result.as_ref()))
    }
}

/// Returns the id that the agent gave the transaction.
///
/// Node.js sends a UUID as `id` among the extra values; this project's agent sends the id as a value of its own.
fn external_id(context: &SampleContext) -> String {
    let from_node = || context.extra.as_ref()?.get("id")?.as_str().map(str::to_owned);
    start_of(&context.id.clone().or_else(from_node).unwrap_or_default(), MAX_ID).to_owned()
}
