//! The form of the Python and Ruby agents: groups of spans with the durations of all transactions.

use std::collections::BTreeMap;

use opbeat_protocol::{SampleContext, TraceGroup};
use serde_json::json;

use super::groups::{APP, ROOT, take_stack};
use crate::changes::{Changes, NewSample, SampleDocument, SampleSpan, SelfTime, to_json};
use crate::interpret::context::BodyContext;

/// The groups of one transaction, by their path from the root.
type Groups = BTreeMap<Vec<String>, Vec<TraceGroup>>;

/// Adds a sample with mean durations for each transaction of a body, and its breakdown unless the body has an exact
/// one.
pub(in crate::interpret) fn aggregated(
    body: &BodyContext<'_>,
    groups: Vec<TraceGroup>,
    has_breakdown: bool,
    changes: &mut Changes,
) {
    let mut transactions: BTreeMap<String, Groups> = BTreeMap::new();
    for mut group in groups {
        take_stack(body.origin, &mut group, changes);
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

/// Adds the self time of each group: the sum of its durations minus the durations of its direct children.
fn add_breakdown(body: &BodyContext<'_>, name: &str, groups: &Groups, changes: &mut Changes) {
    let key = body.key(name, None);
    let minute = body.minute_of(name).seconds();
    for (path, same_path) in groups {
        let children = groups.iter().filter(|(child, _)| child.len() == path.len() + 1 && child.starts_with(path));
        let mut children_ms: f64 = children.flat_map(|(_, groups)| groups).map(total).sum();
        for group in same_path {
            let self_ms = (total(group) - children_ms).max(0.0);
            // Groups with the same path share their children.
            children_ms = (children_ms - total(group)).max(0.0);
            let kind = if group.kind == ROOT { APP } else { &group.kind };
            let self_time = SelfTime { count: group.durations.len() as u64, self_ms };
            changes.breakdowns.entry((key.clone(), minute, kind.to_owned())).or_default().merge(self_time);
        }
    }
}

fn total(group: &TraceGroup) -> f64 {
    group.durations.iter().map(|(span, _)| span).sum()
}

/// Makes a sample from the means of a transaction's groups, since these agents send no single transactions.
fn mean_sample(body: &BodyContext<'_>, name: &str, groups: &Groups) -> Option<NewSample> {
    let root = groups.get([ROOT.to_owned()].as_slice())?.first()?;
    let mut document = SampleDocument { spans: Vec::new(), context: SampleContext::default() };
    document.context.other.insert("aggregate".to_owned(), json!(true));
    document.context.other.insert("transactions".to_owned(), json!(root.durations.len()));
    add_children(groups, &root_path(), 0.0, &mut document.spans);
    Some(NewSample {
        transaction: body.key(name, None),
        happened_at: body.minute_of(name).micros(),
        duration_ms: mean(root.durations.iter().map(|(_, transaction)| *transaction)),
        document: to_json(&document),
        ..NewSample::default()
    })
}

fn root_path() -> Vec<String> {
    vec![ROOT.to_owned()]
}

/// Adds the groups below a path and their descendants as spans, each with its mean duration.
fn add_children(groups: &Groups, path: &[String], start_of_parent: f64, spans: &mut Vec<SampleSpan>) {
    /// The deepest nesting that is shown. No agent sends deeper trees.
    const MAX_DEPTH: usize = 50;
    let below = groups.iter().filter(|(child, _)| child.len() == path.len() + 1 && child.starts_with(path));
    let mut children: Vec<&TraceGroup> = below.flat_map(|(_, groups)| groups).collect();
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
