//! Python and Ruby: groups of spans, with the durations of all.

use std::collections::BTreeMap;

use opbeat_protocol::{SampleContext, TraceGroup};
use serde_json::json;

use super::{APP, ROOT, stacks};
use crate::store::{Changes, NewSample, SampleDocument, SampleSpan, SelfTime};
use crate::worker::body::Body;
use crate::worker::scrub;

/// The groups of one transaction, by their path from the root.
type Groups = BTreeMap<Vec<String>, Vec<TraceGroup>>;

/// Adds the breakdown, and a sample that shows the means, for each transaction of a body.
pub(in crate::worker) fn aggregated(
    body: &Body<'_>,
    groups: Vec<TraceGroup>,
    has_breakdown: bool,
    changes: &mut Changes,
) {
    let mut transactions: BTreeMap<String, Groups> = BTreeMap::new();
    for mut group in groups {
        let frames = stacks::take(body.envelope, &mut group.extra);
        stacks::remember(body.envelope, &group.kind, &group.signature, frames, changes);
        scrub::map(&mut group.extra);
        let mut path = group.parents.clone();
        path.push(group.signature.clone());
        transactions.entry(group.transaction.clone()).or_default().entry(path).or_default().push(group);
    }
    for (name, groups) in transactions {
        if !has_breakdown {
            add_breakdown(body, &name, &groups, changes);
        }
        changes.samples.extend(mean_sample(body, &name, &groups));
    }
}

/// A group's self time is the sum of its durations less that of its direct children.
fn add_breakdown(body: &Body<'_>, name: &str, groups: &Groups, changes: &mut Changes) {
    let key = body.key(name, None);
    let minute = body.minute_of(name).seconds();
    for (path, same_path) in groups {
        let children = groups.iter().filter(|(child, _)| child.len() == path.len() + 1 && child.starts_with(path));
        let mut of_children: f64 = children.flat_map(|(_, groups)| groups).map(total).sum();
        for group in same_path {
            let self_ms = (total(group) - of_children).max(0.0);
            of_children = (of_children - total(group)).max(0.0);
            let kind = if group.kind == ROOT { APP } else { &group.kind };
            let self_time = SelfTime { count: group.durations.len() as u64, self_ms };
            changes.breakdowns.entry((key.clone(), minute, kind.to_owned())).or_default().merge(self_time);
        }
    }
}

fn total(group: &TraceGroup) -> f64 {
    group.durations.iter().map(|(span, _)| span).sum()
}

/// Makes a sample of what the transactions of a name have in common: these agents send no single ones.
fn mean_sample(body: &Body<'_>, name: &str, groups: &Groups) -> Option<NewSample> {
    let root = groups.get([ROOT.to_owned()].as_slice())?.first()?;
    let mut document = SampleDocument { spans: Vec::new(), context: SampleContext::default() };
    document.context.other.insert("aggregate".to_owned(), json!(true));
    document.context.other.insert("transactions".to_owned(), json!(root.durations.len()));
    add_children(groups, &root_path(), 0.0, &mut document.spans);
    Some(NewSample {
        transaction: body.key(name, None),
        happened_at: body.minute_of(name).micros(),
        duration_ms: mean(root.durations.iter().map(|(_, transaction)| *transaction)),
        document,
        ..NewSample::default()
    })
}

fn root_path() -> Vec<String> {
    vec![ROOT.to_owned()]
}

/// Adds the groups beneath a path, each at its mean duration, and what is beneath them.
fn add_children(groups: &Groups, path: &[String], start_of_parent: f64, spans: &mut Vec<SampleSpan>) {
    /// Deeper trees come from no agent.
    const MAX_DEPTH: usize = 50;
    let beneath = groups.iter().filter(|(child, _)| child.len() == path.len() + 1 && child.starts_with(path));
    let mut children: Vec<&TraceGroup> = beneath.flat_map(|(_, groups)| groups).collect();
    children.sort_by(|a, b| a.start_time.unwrap_or(0.0).total_cmp(&b.start_time.unwrap_or(0.0)));
    for group in children {
        let start_ms = start_of_parent + group.start_time.unwrap_or(0.0).max(0.0);
        spans.push(SampleSpan {
            signature: group.signature.clone(),
            kind: group.kind.clone(),
            depth: path.len() - 1,
            start_ms,
            duration_ms: mean(group.durations.iter().map(|(span, _)| *span)),
            extra: group.extra.clone(),
            frames: Vec::new(),
        });
        let mut child = path.to_vec();
        child.push(group.signature.clone());
        if child.len() < MAX_DEPTH {
            add_children(groups, &child, start_ms, spans);
        }
    }
}

fn mean(durations: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = durations.len().max(1) as f64;
    durations.sum::<f64>() / count
}
