//! One trace of an app: its spans, and the transaction that each belongs to.

use std::collections::{HashMap, HashSet};

use crate::changes::{NewSpan, SpanId};
use crate::interpret::JoinedTransaction;

/// The largest number of ancestors that are looked at.
const MAX_DEPTH: usize = 200;

/// The spans of a trace that are known.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// The parent of each span.
    parents: HashMap<SpanId, SpanId>,
    /// The spans that stand for transactions.
    transactions: HashSet<SpanId>,
    /// Whether each of the spans that were asked for belongs to a transaction, and to which.
    owners: HashMap<SpanId, Option<SpanId>>,
}

impl Trace {
    /// Adds a span. Returns false if it is known.
    pub(super) fn add(&mut self, span: &NewSpan) -> bool {
        if self.parents.contains_key(&span.span_id) {
            return false;
        }
        self.parents.insert(span.span_id, span.parent_id);
        if span.transaction.is_some() {
            self.transactions.insert(span.span_id);
        }
        true
    }

    /// Adds a transaction with its spans.
    pub(super) fn add_joined(&mut self, root: SpanId, transaction: &JoinedTransaction) {
        // The spans around the transaction are no part of it.
        self.parents.insert(root, SpanId::default());
        self.transactions.insert(root);
        self.parents.extend(transaction.nodes.iter().map(|node| (node.id, node.parent)));
    }

    /// Returns the transaction that a span belongs to: the closest one among its ancestors and itself.
    ///
    /// Each step is remembered, so that all spans of a trace take linear time.
    pub(super) fn owner(&mut self, span: SpanId) -> Option<SpanId> {
        let mut path = Vec::new();
        let mut visited = HashSet::new();
        let mut current = span;
        let owner = loop {
            if self.transactions.contains(&current) {
                break Some(current);
            }
            if let Some(owner) = self.owners.get(&current) {
                break *owner;
            }
            path.push(current);
            match self.parents.get(&current) {
                // A hostile trace can have a circle of parents.
                Some(parent) if visited.insert(current) => current = *parent,
                _ => break None,
            }
        };
        self.owners.extend(path.into_iter().map(|span| (span, owner)));
        owner
    }

    /// Returns a span and its ancestors, the closest first.
    pub(super) fn with_ancestors(&self, span: SpanId) -> impl Iterator<Item = SpanId> {
        std::iter::successors(Some(span), |span| self.parents.get(span).copied()).take(MAX_DEPTH)
    }
}
