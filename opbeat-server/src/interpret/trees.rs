//! Trees of spans: joins spans that arrived one by one to their transaction.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::traces::self_time;
use crate::changes::{NewSample, NewSpan, SampleDocument, SampleSpan, SelfTime, SpanId, TransactionKey, to_json};

/// The kind of the time that no span covers.
const APP: &str = "app";

/// The largest number of spans that a sample shows. All spans count in the breakdown.
const MAX_SHOWN: usize = 2_000;

/// A transaction with the spans that have been joined to it so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct JoinedTransaction {
    /// The transaction.
    pub(crate) key: TransactionKey,
    /// When it began, in microseconds since 1970.
    pub(crate) started_at: i64,
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

/// The self time that spans add to a transaction's breakdown, by kind. It can be negative for kinds whose time turns
/// out to be that of another kind.
type Breakdown = BTreeMap<String, SelfTime>;

impl JoinedTransaction {
    /// Begins a tree with the transaction only.
    pub(crate) fn new(sample: &NewSample) -> Self {
        Self {
            key: sample.transaction.clone(),
            started_at: sample.happened_at,
            duration_ms: sample.duration_ms,
            nodes: Vec::new(),
        }
    }

    /// Joins the first spans to a new transaction. Returns its complete sample and its breakdown.
    pub(crate) fn begin(
        &mut self,
        root: SpanId,
        spans: Vec<NewSpan>,
        mut sample: NewSample,
    ) -> (NewSample, Vec<(String, SelfTime)>) {
        let mut document: SampleDocument = serde_json::from_slice(&sample.document).unwrap_or_default();
        let breakdown = self.join(root, spans, true, Some(&mut document));
        sample.document = to_json(&document);
        (sample, breakdown)
    }

    /// Joins spans. Each of them is a descendant of the transaction's span, whose id is `root`.
    ///
    /// `document` is the stored sample, if it is kept. Returns the change of the breakdown, which includes the
    /// transaction itself if `is_new`.
    pub(crate) fn join(
        &mut self,
        root: SpanId,
        spans: Vec<NewSpan>,
        is_new: bool,
        document: Option<&mut SampleDocument>,
    ) -> Vec<(String, SelfTime)> {
        let mut before = if is_new { Breakdown::new() } else { self.breakdown() };
        let known = std::mem::take(&mut self.nodes).into_iter();
        let shown = document.as_ref().map(|document| document.spans.clone()).unwrap_or_default();
        let shown = shown.into_iter().map(Some).chain(std::iter::repeat(None));
        let known = known.zip(shown);
        let added = spans.into_iter().map(|span| self.node(span));
        let arranged = arrange(root, known.chain(added.map(|(node, span)| (node, Some(span)))).collect());
        if let Some(document) = document {
            let hidden = arranged.len().saturating_sub(MAX_SHOWN);
            document.context.dropped_spans = u64::try_from(hidden).ok().filter(|hidden| *hidden > 0);
            let show = |(node, span): &(Node, Option<SampleSpan>)| {
                let span = span.clone().unwrap_or_else(|| node.bare());
                SampleSpan { depth: node.depth, ..span }
            };
            document.spans = arranged.iter().take(MAX_SHOWN).map(show).collect();
        }
        self.nodes = arranged.into_iter().map(|(node, _)| node).collect();
        let mut changes = self.breakdown();
        for (kind, self_time) in std::mem::take(&mut before) {
            let change = changes.entry(kind).or_default();
            change.count = change.count.saturating_sub(self_time.count);
            change.self_ms -= self_time.self_ms;
        }
        changes.into_iter().filter(|(_, change)| change.count > 0 || change.self_ms != 0.0).collect()
    }

    /// Returns the self time of the spans by kind, with the time that no span covers.
    fn breakdown(&self) -> Breakdown {
        let bare: Vec<SampleSpan> = self.nodes.iter().map(Node::bare).collect();
        let mut breakdown = Breakdown::new();
        let mut add = |kind: &str, self_ms: f64| {
            breakdown.entry(kind.to_owned()).or_default().merge(SelfTime { count: 1, self_ms });
        };
        let uncovered = self_time::each(&bare, self.duration_ms, &mut add);
        add(APP, uncovered);
        breakdown
    }

    fn node(&self, span: NewSpan) -> (Node, SampleSpan) {
        let start_ms = (span.started_at.saturating_sub(self.started_at) as f64 / 1_000.0).max(0.0);
        let node = Node {
            id: span.span_id,
            parent: span.parent_id,
            kind: span.kind.clone(),
            depth: 0,
            start_ms,
            duration_ms: span.duration_ms,
        };
        let shown = SampleSpan {
            signature: span.signature,
            kind: span.kind,
            start_ms,
            duration_ms: span.duration_ms,
            extra: serde_json::from_slice(&span.extra).unwrap_or_default(),
            ..SampleSpan::default()
        };
        (node, shown)
    }
}

impl Node {
    /// Returns the span without its name.
    fn bare(&self) -> SampleSpan {
        SampleSpan {
            kind: self.kind.clone(),
            depth: self.depth,
            start_ms: self.start_ms,
            duration_ms: self.duration_ms,
            ..SampleSpan::default()
        }
    }
}

/// Puts each span behind its parent, children in the order of their start, and sets the depths.
///
/// Spans that are no descendants of the root are left out. A span has one parent, so that each is visited once.
fn arrange(root: SpanId, spans: Vec<(Node, Option<SampleSpan>)>) -> Vec<(Node, Option<SampleSpan>)> {
    let mut children: HashMap<SpanId, Vec<(Node, Option<SampleSpan>)>> = HashMap::new();
    for span in spans {
        if span.0.id != root {
            children.entry(span.0.parent).or_default().push(span);
        }
    }
    let mut arranged = Vec::new();
    let mut take_children = |parent: SpanId, depth: usize, waiting: &mut Vec<(usize, (Node, Option<SampleSpan>))>| {
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
