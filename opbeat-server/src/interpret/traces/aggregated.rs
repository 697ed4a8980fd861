//! The form of the Python and Ruby agents: groups of spans with the durations of all transactions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use opbeat_protocol::{Timestamp, TraceGroup};

use super::breakdown::Breakdown;
use super::document::{Budget, Builder};
use super::groups::{APP, Group, prepare};
use super::tree::{SamePath, Tree};
use crate::changes::{Changes, NewSample, SampleSpan, SelfTime, TransactionKey, to_json};
use crate::interpret::context::{BodyContext, Counted, placed_time};

/// Adds the average of each transaction name of a body, and the breakdown unless the body has an exact one.
pub(in crate::interpret) fn aggregated(
    body: &BodyContext<'_>,
    groups: Vec<TraceGroup>,
    has_breakdown: bool,
    changes: &mut Changes,
) {
    let groups = prepare(body.origin, groups, changes);
    let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, group) in groups.iter().enumerate() {
        names.entry(&group.sent.transaction).or_default().push(index);
    }
    let mut budget = Budget::of(&groups);
    let mut breakdown = Breakdown::new(changes, groups.len() + body.all_counted().count());
    let mut samples = Vec::new();
    for (name, indices) in names {
        let tree = Tree::new(&groups, indices.iter().copied());
        if !has_breakdown {
            add_breakdown(body, name, (&groups, &indices), &tree, &mut breakdown);
        }
        samples.extend(average(body, name, &tree, Builder::new(&groups, &mut budget)));
    }
    changes.samples.extend(samples);
}

/// Adds the self times of a transaction name to each minute in which it was counted.
///
/// Ruby's groups have minutes, so that each minute has its own tree. Python's cover the whole interval: each minute
/// has its share of the time.
fn add_breakdown(
    body: &BodyContext<'_>,
    name: &str,
    (groups, indices): (&[Group], &[usize]),
    tree: &Tree<'_>,
    breakdown: &mut Breakdown<'_>,
) {
    let mut minutes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for index in indices {
        match groups[*index].sent.timestamp {
            Some(at) => minutes.entry(body.minute(Some(at)).seconds()).or_default().push(*index),
            None => return add_parts(tree, body.counted(name).iter(), breakdown),
        }
    }
    let counted: BTreeSet<i64> = body.counted(name).iter().map(|counted| counted.minute.seconds()).collect();
    if minutes.keys().any(|minute| !counted.contains(minute)) {
        return add_parts(tree, body.counted(name).iter(), breakdown);
    }
    for (minute, indices) in minutes {
        let counted = body.counted(name).iter().filter(|counted| counted.minute.seconds() == minute);
        add_parts(&Tree::new(groups, indices), counted, breakdown);
    }
}

/// Divides the self times of a tree among the counted transactions that it stands for, in proportion to their time.
fn add_parts<'c, 'a: 'c>(
    tree: &Tree<'_>,
    counted: impl Iterator<Item = &'c Counted<'a>>,
    breakdown: &mut Breakdown<'_>,
) {
    let mut shares: BTreeMap<(&TransactionKey, i64), f64> = BTreeMap::new();
    let mut transactions = 0;
    for counted in counted {
        let sum_ms: f64 = counted.group.durations.iter().sum();
        *shares.entry((&counted.key, counted.minute.seconds())).or_default() += sum_ms;
        transactions += counted.group.durations.len() as u64;
    }
    let mut parts = tree.self_times();
    let mut traced_ms: f64 = parts.values().map(|part| part.self_ms).sum();
    let counted_ms: f64 = shares.values().sum();
    let traced = tree.whole().len() as u64;
    if traced == 0 || traced_ms <= 0.0 {
        // Without the whole transactions among the traces, the counts say how much time no span covers.
        let app_ms = (counted_ms - traced_ms).max(0.0);
        parts.entry(APP).or_default().merge(SelfTime { count: transactions, self_ms: app_ms, samples: 0 });
        traced_ms += app_ms;
    }
    if traced == transactions
        && let Some(app) = parts.get_mut(APP)
    {
        // The root ends before its transaction, by some microseconds or by as long as the process was paused. No span
        // covers that time.
        let app_ms = (app.self_ms + counted_ms - traced_ms).max(0.0);
        traced_ms += app_ms - app.self_ms;
        app.self_ms = app_ms;
    }
    // An agent can drop traces, but it counts each transaction.
    let is_exact = traced == 0 || traced >= transactions;
    let scale = if is_exact { 1.0 } else { transactions as f64 / traced.max(1) as f64 };
    let mut before_ms = 0.0;
    for ((key, minute), sum_ms) in shares {
        let part = |part: &SelfTime| {
            // Rounded sums, so that the counts of all minutes add up to the whole.
            let count_until = |ms: f64| (part.count as f64 * scale * ratio(ms, counted_ms)).round() as u64;
            let count = count_until(before_ms + sum_ms).saturating_sub(count_until(before_ms));
            SelfTime { count, self_ms: part.self_ms * ratio(sum_ms, traced_ms), samples: 0 }
        };
        let parts = parts.iter().map(|(kind, self_time)| (*kind, part(self_time))).collect();
        breakdown.add(key, minute, &parts, if is_exact { 0 } else { traced });
        before_ms += sum_ms;
    }
}

/// Makes a sample of the averages of a transaction's spans, since these agents send no single transactions.
///
/// Returns `None` if neither traces nor counts contain the transaction as a whole.
fn average(body: &BodyContext<'_>, name: &str, tree: &Tree<'_>, mut builder: Builder<'_>) -> Option<NewSample> {
    let durations = durations(body, name, tree);
    let transactions = durations.values().sum::<u64>();
    if transactions == 0 {
        return None;
    }
    let all_ms: f64 = durations.iter().map(|(bits, count)| f64::from_bits(*bits) * *count as f64).sum();
    let mean_ms = all_ms / transactions as f64;
    let visits = tree.visits();
    // The start and the end of each visited span, as a page draws it.
    let mut intervals: Vec<(f64, f64)> = Vec::with_capacity(visits.len());
    for visit in &visits {
        let (first, last) = visit.parent.map_or((0.0, mean_ms), |parent| intervals[parent]);
        let path = visit.path;
        let duration_ms = path.total_ms() / transactions as f64;
        // The start is the earliest one of all transactions: the bar must not end after its parent for that.
        let start_ms = (first + path.start_ms).min(last - duration_ms).max(first);
        intervals.push((start_ms, start_ms + duration_ms));
        builder.add(
            path.group,
            SampleSpan {
                group: 0,
                depth: visit.depth,
                start_ms,
                duration_ms,
                count: path.durations.len() as u64,
                transactions: transactions_with(path, &durations),
                ..SampleSpan::default()
            },
        );
    }
    let mut document = builder.finish();
    document.average_of = transactions;
    let longest = body.counted(name).iter().max_by(|a, b| total(a).total_cmp(&total(b)));
    let claimed = longest.and_then(|counted| placed_time(body.origin, counted.group.timestamp).claimed);
    document.claimed_at = claimed.map(Timestamp::micros);
    Some(NewSample {
        transaction: longest.map_or_else(|| body.key(name, None), |counted| counted.key.clone()),
        happened_at: longest.map_or(body.minute_of(name), |counted| counted.minute).micros(),
        duration_ms: mean_ms,
        average_of: transactions,
        document: to_json(&document),
        ..NewSample::default()
    })
}

/// Returns the number of transactions by the bits of their duration: as traced, or else as counted.
fn durations(body: &BodyContext<'_>, name: &str, tree: &Tree<'_>) -> HashMap<u64, u64> {
    let mut durations: HashMap<u64, u64> = HashMap::new();
    let mut add = |duration: f64| *durations.entry(duration.to_bits()).or_default() += 1;
    match tree.whole() {
        [] => body.counted(name).iter().flat_map(|counted| &counted.group.durations).for_each(|ms| add(*ms)),
        traced => traced.iter().for_each(|(_, transaction)| add(*transaction)),
    }
    durations
}

/// Returns the number of transactions that have a span.
///
/// The only link between a span and its transaction is the transaction's duration. If several transactions have the
/// same one, each of them is taken to have one of the spans, as long as there are enough.
fn transactions_with(path: &SamePath<'_>, durations: &HashMap<u64, u64>) -> u64 {
    let mut spans: HashMap<u64, u64> = HashMap::new();
    for (_, transaction) in &path.durations {
        *spans.entry(transaction.to_bits()).or_default() += 1;
    }
    let with = spans.iter().map(|(duration, count)| durations.get(duration).copied().unwrap_or(1).min(*count));
    with.sum::<u64>().min(durations.values().sum())
}

fn total(counted: &Counted<'_>) -> f64 {
    counted.group.durations.iter().sum()
}

fn ratio(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}
