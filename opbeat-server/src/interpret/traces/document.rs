//! Builds the documents of a body's samples within limits, since many samples can refer to one large group.

use std::collections::HashMap;

use super::groups::Group;
use crate::changes::{SampleDocument, SampleSpan, SpanGroup};
use crate::interpret::context::cut_name;

/// The largest number of spans in one document.
const MAX_SPANS: usize = 2_000;

/// The largest size of the facts in one document, in bytes.
const MAX_FACTS: usize = 256 << 10;

/// The size of facts and names that the documents of any body may have together, in bytes.
const MIN_BUDGET: usize = 8 << 20;

/// The number of times that the facts of a body may be repeated in its documents, on average.
const REPEATS: usize = 4;

/// The size of the facts that the further documents of a body may have.
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn of(groups: &[Group]) -> Self {
        let received: usize = groups.iter().map(|group| group.names_size() + group.facts_size).sum();
        Self { left: MIN_BUDGET + REPEATS * received }
    }
}

/// A document to which spans are added, each with the index of its group in the body.
pub(super) struct Builder<'b> {
    groups: &'b [Group],
    budget: &'b mut Budget,
    left: usize,
    /// The index in the document of each group of the body.
    indices: HashMap<usize, usize>,
    document: SampleDocument,
}

impl<'b> Builder<'b> {
    pub(super) fn new(groups: &'b [Group], budget: &'b mut Budget) -> Self {
        Self { groups, budget, left: MAX_FACTS, indices: HashMap::new(), document: SampleDocument::default() }
    }

    /// Adds a span, or counts it as left out if the document is full.
    pub(super) fn add(&mut self, group: usize, span: SampleSpan) {
        let is_full = self.document.spans.len() >= MAX_SPANS;
        match self.index(group).filter(|_| !is_full) {
            Some(group) => self.document.spans.push(SampleSpan { group, ..span }),
            None => self.document.omitted_spans += 1,
        }
    }

    pub(super) fn finish(self) -> SampleDocument {
        self.document
    }

    /// Returns the index of a group in the document. Adds the group if there is space for it, at least for its names.
    fn index(&mut self, group: usize) -> Option<usize> {
        if let Some(index) = self.indices.get(&group) {
            return Some(*index);
        }
        let facts = self.groups.get(group)?;
        let names = facts.names_size();
        let is_cut = self.left < facts.facts_size || self.budget.left < names + facts.facts_size;
        let facts_size = if is_cut { 0 } else { facts.facts_size };
        self.budget.left = self.budget.left.checked_sub(names + facts_size)?;
        self.left -= facts_size;
        let index = self.document.groups.len();
        self.document.groups.push(SpanGroup {
            signature: cut_name(&facts.sent.signature),
            kind: cut_name(&facts.sent.kind),
            extra: if is_cut { serde_json::Map::new() } else { facts.sent.extra.clone() },
            frames: if is_cut { Vec::new() } else { facts.frames.clone() },
            sites: facts.sites.clone(),
            is_cut,
        });
        self.indices.insert(group, index);
        Some(index)
    }
}
