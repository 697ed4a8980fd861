//! Trees of spans: joins spans that arrived one by one to their transaction.

use std::collections::{BTreeMap, HashMap};

use opbeat_protocol::SampleContext;
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::traces::self_time::{self, TimedSpan};
use crate::changes::{
    NewSample, NewSpan, SampleDocument, SampleSpan, SelfTime, SpanGroup, SpanId, TransactionKey, to_json,
};

/// The largest number of spans that a sample shows. All spans count in the breakdown.
const MAX_SHOWN: usize = 2_000;

/// The largest number of spans that are joined to one transaction.
const MAX_NODES: usize = 5_000;

/// The largest size of the spans that are joined to one transaction, in bytes.
const MAX_NODES_SIZE: usize = 1 << 20;

/// The largest size of the facts in one sample, in bytes. Spans beyond it are shown by their names.
const MAX_FACTS: usize = 256 << 10;

/// The largest size of a new sample without spans, in bytes. The context of larger ones is left out, except for the
/// short values.
const MAX_CONTEXT: usize = 1 << 20;

/// A transaction with the spans that have been joined to it so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct JoinedTransaction {
    /// The transaction.
    pub(crate) key: TransactionKey,
    /// When it began by the clock of its spans, in microseconds since 1970.
    pub(crate) started_at: i64,
    /// The time under which it is counted, in microseconds since 1970.
    pub(crate) counted_at: i64,
    /// Its duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its spans, parents before their children. The sample shows the first of them in the same order.
    pub(crate) nodes: Vec<Node>,
}

/// A span of a tree.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Node {
    /// The span.
    pub(crate) id: SpanId,
    /// Its parent.
    pub(crate) parent: SpanId,
    /// Its kind.
    kind: String,
    /// The number of spans that contain it.
    depth: usize,
    /// The time from the transaction's start to the span's start, in milliseconds.
    start_ms: f64,
    /// The duration, in milliseconds.
    duration_ms: f64,
}

/// The changes that joined spans cause besides the transaction itself.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// The change of the breakdown, by kind.
    pub(crate) breakdown: Vec<(String, SelfTime)>,
    /// The number of spans that were left out, since the transaction has too many.
    pub(crate) dropped: u64,
}

/// The self time that spans add to a transaction's breakdown, by kind. It can be negative for kinds whose time turns
/// out to be that of another kind.
type Breakdown = BTreeMap<String, SelfTime>;

impl JoinedTransaction {
    /// Begins a tree with the transaction only. Its span began at `started_at`.
    pub(crate) fn new(sample: &NewSample, started_at: i64) -> Self {
        Self {
            key: sample.transaction.clone(),
            started_at,
            counted_at: sample.happened_at,
            duration_ms: sample.duration_ms,
            nodes: Vec::new(),
        }
    }

    /// Joins the first spans to a new transaction. Returns its complete sample, and what else changes.
    pub(crate) fn begin(&mut self, root: SpanId, spans: Vec<NewSpan>, mut sample: NewSample) -> (NewSample, Joined) {
        let mut document: SampleDocument = serde_json::from_slice(&sample.document).unwrap_or_default();
        if sample.document.len() > MAX_CONTEXT {
            document.context = short_values(document.context);
        }
        let joined = self.join(root, spans, true, Some(&mut document));
        sample.document = to_json(&document);
        (sample, joined)
    }

    /// Joins spans. Each of them is a descendant of the transaction's span, whose id is `root`.
    ///
    /// `document` is the stored sample, if it is kept. The change of the breakdown includes the transaction itself if
    /// `is_new`.
    pub(crate) fn join(
        &mut self,
        root: SpanId,
        spans: Vec<NewSpan>,
        is_new: bool,
        document: Option<&mut SampleDocument>,
    ) -> Joined {
        let before = if is_new { BTreeMap::new() } else { self.breakdown() };
        let known_before = self.nodes.len();
        let all = known_before.saturating_add(spans.len());
        let spans = self.fitting(spans);
        let known = std::mem::take(&mut self.nodes).into_iter();
        let shown = document.as_ref().map(|document| facts_of_spans(document)).unwrap_or_default();
        let shown = shown.into_iter().map(Some).chain(std::iter::repeat(None));
        let known = known.zip(shown);
        let added = spans.into_iter().map(|span| self.node(span));
        let arranged = arrange(root, known.chain(added.map(|(node, facts)| (node, Some(facts)))).collect());
        let dropped = all.saturating_sub(arranged.len()) as u64;
        if let Some(document) = document {
            let hidden_before = known_before.saturating_sub(document.spans.len()) as u64;
            let dropped_before = document.omitted_spans.saturating_sub(hidden_before);
            let hidden = arranged.len().saturating_sub(MAX_SHOWN) as u64;
            document.omitted_spans = hidden.saturating_add(dropped_before).saturating_add(dropped);
            let shown = || arranged.iter().take(MAX_SHOWN);
            let mut left = MAX_FACTS;
            let group = |(node, facts): &(Node, Option<SpanGroup>)| {
                facts.clone().map_or_else(|| node.bare(), |facts| within(facts, &mut left))
            };
            document.groups = shown().map(group).collect();
            let span = |(group, (node, _)): (usize, &(Node, Option<SpanGroup>))| SampleSpan {
                group,
                depth: node.depth,
                start_ms: node.start_ms,
                duration_ms: node.duration_ms,
                ..SampleSpan::default()
            };
            document.spans = shown().enumerate().map(span).collect();
        }
        self.nodes = arranged.into_iter().map(|(node, _)| node).collect();
        let mut changes = self.breakdown();
        for (kind, self_time) in before {
            let change = changes.entry(kind).or_default();
            change.count = change.count.saturating_sub(self_time.count);
            change.self_ms -= self_time.self_ms;
        }
        let is_change = |change: &SelfTime| change.count > 0 || change.self_ms != 0.0;
        Joined { breakdown: changes.into_iter().filter(|(_, change)| is_change(change)).collect(), dropped }
    }

    /// Returns those of some spans that the transaction has space for: the earliest ones, since parents begin before
    /// their children.
    fn fitting(&self, mut spans: Vec<NewSpan>) -> Vec<NewSpan> {
        let size = |kind: &str| size_of::<Node>() + kind.len();
        let used: usize = self.nodes.iter().map(|node| size(&node.kind)).sum();
        let mut left = MAX_NODES_SIZE.saturating_sub(used);
        spans.sort_by(|a, b| a.started_at.cmp(&b.started_at).then(b.duration_ms.total_cmp(&a.duration_ms)));
        spans.truncate(MAX_NODES.saturating_sub(self.nodes.len()));
        let fits = |span: &NewSpan| {
            left = left.checked_sub(size(&span.kind))?;
            Some(())
        };
        let count = spans.iter().map_while(fits).count();
        spans.truncate(count);
        spans
    }

    /// Returns the self time of the spans by kind, with the time that no span covers.
    fn breakdown(&self) -> Breakdown {
        let spans: Vec<TimedSpan<'_>> = self.nodes.iter().map(Node::timed).collect();
        let kinds = self_time::by_kind(&spans, self.duration_ms);
        kinds.into_iter().map(|(kind, self_time)| (kind.to_owned(), self_time)).collect()
    }

    fn node(&self, span: NewSpan) -> (Node, SpanGroup) {
        let start_ms = (span.started_at.saturating_sub(self.started_at) as f64 / 1_000.0).max(0.0);
        let node = Node {
            id: span.span_id,
            parent: span.parent_id,
            kind: span.kind.clone(),
            depth: 0,
            start_ms,
            duration_ms: span.duration_ms,
        };
        let extra = serde_json::from_slice(&span.extra);
        let facts = SpanGroup {
            signature: span.signature,
            kind: span.kind,
            is_cut: extra.is_err(),
            extra: extra.unwrap_or_default(),
            ..SpanGroup::default()
        };
        (node, facts)
    }
}

impl Node {
    fn timed(&self) -> TimedSpan<'_> {
        TimedSpan { kind: &self.kind, depth: self.depth, start_ms: self.start_ms, duration_ms: self.duration_ms }
    }

    /// Returns the facts of the span without its name.
    fn bare(&self) -> SpanGroup {
        SpanGroup { kind: self.kind.clone(), ..SpanGroup::default() }
    }
}

/// Returns facts without their extra values, if these are larger than the space that is left.
fn within(mut facts: SpanGroup, left: &mut usize) -> SpanGroup {
    let size = if facts.extra.is_empty() { 0 } else { to_json(&facts.extra).len() };
    match left.checked_sub(size) {
        Some(rest) => *left = rest,
        None => {
            facts.extra.clear();
            facts.is_cut = true;
        }
    }
    facts
}

/// Returns a context without the values that can have any size.
fn short_values(context: SampleContext) -> SampleContext {
    SampleContext { http: None, user: None, tags: None, extra: None, other: Map::new(), ..context }
}

/// Returns the facts of each span of a document.
fn facts_of_spans(document: &SampleDocument) -> Vec<SpanGroup> {
    document.spans.iter().map(|span| document.groups.get(span.group).cloned().unwrap_or_default()).collect()
}

/// Puts each span behind its parent, children in the order of their start, and sets the depths.
///
/// Spans that are no descendants of the root are left out. A span has one parent, so that each is visited once.
fn arrange(root: SpanId, spans: Vec<(Node, Option<SpanGroup>)>) -> Vec<(Node, Option<SpanGroup>)> {
    let mut children: HashMap<SpanId, Vec<(Node, Option<SpanGroup>)>> = HashMap::new();
    for span in spans {
        if span.0.id != root {
            children.entry(span.0.parent).or_default().push(span);
        }
    }
    let mut arranged = Vec::new();
    let mut take_children = |parent: SpanId, depth: usize, waiting: &mut Vec<(usize, (Node, Option<SpanGroup>))>| {
        let mut next = children.remove(&parent).unwrap_or_default();
        // The last one is taken first.
        next.sort_by(|(a, _), (b, _)| b.start_ms.total_cmp(&a.start_ms).then(a.duration_ms.total_cmp(&b.duration_ms)));
        waiting.extend(next.into_iter().map(|span| (depth, span)));
    };
    let mut waiting = Vec::new();
    take_children(root, 0, &mut waiting);
    while let Some((depth, (mut node, span))) = waiting.pop() {
        node.depth = depth;
        take_children(node.id, depth + 1, &mut waiting);
        arranged.push((node, span));
    }
    arranged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_context_is_reduced_to_its_short_values() {
        let mut document = SampleDocument::default();
        document.context.id = Some("0102".to_owned());
        document.context.extra = Some("x".repeat(MAX_CONTEXT).into());
        let sample = NewSample { document: to_json(&document), ..NewSample::default() };
        let (sample, joined) = JoinedTransaction::new(&sample, 0).begin([1; 8], Vec::new(), sample);
        let document: SampleDocument = serde_json::from_slice(&sample.document).unwrap();
        assert_eq!((document.context.id.as_deref(), document.context.extra), (Some("0102"), None));
        assert_eq!(joined.dropped, 0);
    }
}
