//! The tree that the paths of an agent's groups form. Its work is linear in the length of all paths, and no function
//! recurses, since a path can be long.

use std::collections::{BTreeMap, HashMap};

use super::groups::{APP, Group, ROOT};
use crate::changes::SelfTime;

/// The root: the whole transaction.
const WHOLE: usize = 0;

/// The tree of a transaction's groups.
pub(super) struct Tree<'g> {
    /// The nodes, parents before their children.
    nodes: Vec<Node>,
    /// The spans with the same path and kind, in the order of their arrival.
    paths: Vec<SamePath<'g>>,
}

#[derive(Default)]
struct Node {
    parent: usize,
    children: Vec<usize>,
    /// The indices of its paths: more than one if the spans have several kinds, none if the agent sent only children.
    paths: Vec<usize>,
}

/// The spans of all transactions that have the same path and kind.
pub(super) struct SamePath<'g> {
    /// The index of their first group in the body.
    pub(super) group: usize,
    pub(super) kind: &'g str,
    /// The smallest start, in milliseconds after the start of the parent.
    pub(super) start_ms: f64,
    /// Their duration and the duration of their transaction, in milliseconds.
    pub(super) durations: Vec<(f64, f64)>,
}

/// A node in the order in which pages show it.
pub(super) struct Visit<'t, 'g> {
    pub(super) path: &'t SamePath<'g>,
    /// The number of paths that contain it.
    pub(super) depth: usize,
    /// The index of the next enclosing path among the visited ones, or `None` for the transaction.
    pub(super) parent: Option<usize>,
}

impl SamePath<'_> {
    /// Returns the time of all spans, in milliseconds.
    pub(super) fn total_ms(&self) -> f64 {
        self.durations.iter().map(|(span, _)| span).sum()
    }
}

impl<'g> Tree<'g> {
    /// Builds the tree of groups, each given by its index in the body. Groups with the same path and kind are joined.
    pub(super) fn new(groups: &'g [Group], indices: impl IntoIterator<Item = usize>) -> Self {
        let mut tree = Self { nodes: vec![Node::default()], paths: Vec::new() };
        let mut nodes: HashMap<(usize, &str), usize> = HashMap::new();
        let mut paths: HashMap<(usize, &str), usize> = HashMap::new();
        for index in indices {
            let Some(group) = groups.get(index) else { continue };
            let sent = &group.sent;
            let (ancestors, own) = match sent.parents.as_slice() {
                _ if group.is_root() => (&[][..], None),
                [first, others @ ..] if first == ROOT => (others, Some(&sent.signature)),
                ancestors => (ancestors, Some(&sent.signature)),
            };
            let mut node = WHOLE;
            for signature in ancestors.iter().chain(own) {
                node = *nodes.entry((node, signature)).or_insert_with(|| tree.add_node(node));
            }
            let path = *paths.entry((node, &sent.kind)).or_insert_with(|| tree.add_path(node, index, &sent.kind));
            let path = &mut tree.paths[path];
            path.start_ms = path.start_ms.min(sent.start_time.unwrap_or(0.0).max(0.0));
            path.durations.extend(&sent.durations);
        }
        tree
    }

    fn add_node(&mut self, parent: usize) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { parent, ..Node::default() });
        self.nodes[parent].children.push(node);
        node
    }

    fn add_path(&mut self, node: usize, group: usize, kind: &'g str) -> usize {
        self.nodes[node].paths.push(self.paths.len());
        self.paths.push(SamePath { group, kind, start_ms: f64::MAX, durations: Vec::new() });
        self.paths.len() - 1
    }

    /// Returns the pairs of the whole transactions: the second number of each is a transaction's duration.
    pub(super) fn whole(&self) -> &[(f64, f64)] {
        self.nodes[WHOLE].paths.first().map_or(&[], |path| &self.paths[*path].durations)
    }

    /// Returns all paths below the root: parents before their children, and siblings in the order of their start.
    pub(super) fn visits(&self) -> Vec<Visit<'_, 'g>> {
        let mut visits: Vec<Visit<'_, 'g>> = Vec::with_capacity(self.paths.len());
        let mut open: Vec<(usize, usize, Option<usize>)> = vec![(WHOLE, 0, None)];
        while let Some((node, mut depth, mut parent)) = open.pop() {
            let node_paths = if node == WHOLE { &[] } else { self.nodes[node].paths.as_slice() };
            for path in node_paths {
                visits.push(Visit { path: &self.paths[*path], depth, parent });
            }
            if !node_paths.is_empty() {
                depth += 1;
                parent = Some(visits.len() - 1);
            }
            let mut children = self.nodes[node].children.clone();
            children.sort_by(|a, b| self.start_of(*a).total_cmp(&self.start_of(*b)));
            // The last one is visited first.
            open.extend(children.into_iter().rev().map(|child| (child, depth, parent)));
        }
        visits
    }

    fn start_of(&self, node: usize) -> f64 {
        self.nodes[node].paths.iter().map(|path| self.paths[*path].start_ms).fold(f64::MAX, f64::min)
    }

    /// Returns the self time of each kind, and under [`APP`] the time that no span covers.
    ///
    /// They sum up to the time of the whole transactions in milliseconds, or to the time of all spans if that is
    /// unknown. Children that took longer than their parent, because they ran at the same time, share its time.
    pub(super) fn self_times(&self) -> BTreeMap<&'g str, SelfTime> {
        let totals = self.totals();
        let mut times = totals.clone();
        let mut kinds: BTreeMap<&str, SelfTime> = BTreeMap::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let children_ms: f64 = node.children.iter().map(|child| totals[*child]).sum();
            let scale = if children_ms > times[index] { times[index] / children_ms } else { 1.0 };
            for child in &node.children {
                times[*child] = totals[*child] * scale;
            }
            let self_ms = (times[index] - children_ms * scale).max(0.0);
            self.add_node_time(index, self_ms, &mut kinds);
        }
        kinds
    }

    /// Divides the self time of a node among its paths, in proportion to their times.
    fn add_node_time(&self, node: usize, self_ms: f64, kinds: &mut BTreeMap<&'g str, SelfTime>) {
        if node == WHOLE {
            let count = self.whole().len() as u64;
            kinds.entry(APP).or_default().merge(SelfTime { count, self_ms, samples: 0 });
            return;
        }
        let paths = || self.nodes[node].paths.iter().map(|path| &self.paths[*path]);
        let all_ms: f64 = paths().map(SamePath::total_ms).sum();
        for path in paths() {
            let share = if all_ms > 0.0 { path.total_ms() / all_ms } else { 0.0 };
            let part = SelfTime { count: path.durations.len() as u64, self_ms: self_ms * share, samples: 0 };
            kinds.entry(path.kind).or_default().merge(part);
        }
    }

    /// Returns the time of each node in milliseconds. A node without spans of its own has the time of its children.
    fn totals(&self) -> Vec<f64> {
        let mut totals = vec![0.0; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if !node.paths.is_empty() {
                totals[index] = node.paths.iter().map(|path| self.paths[*path].total_ms()).sum();
            }
            if index != WHOLE && self.nodes[node.parent].paths.is_empty() {
                totals[node.parent] += totals[index];
            }
        }
        totals
    }
}

#[cfg(test)]
mod tests {
    use opbeat_protocol::TraceGroup;
    use serde_json::json;

    use super::*;

    fn groups(sent: serde_json::Value) -> Vec<Group> {
        let sent: Vec<TraceGroup> = serde_json::from_value(sent).unwrap();
        sent.into_iter().map(|sent| Group { sent, ..Group::default() }).collect()
    }

    fn self_times(sent: serde_json::Value) -> Vec<(String, f64)> {
        let groups = groups(sent);
        let tree = Tree::new(&groups, 0..groups.len());
        tree.self_times().into_iter().map(|(kind, part)| (kind.to_owned(), part.self_ms)).collect()
    }

    #[test]
    fn parts_never_exceed_the_whole() {
        let times = self_times(json!([
            {"signature": "transaction", "kind": "transaction", "durations": [[10.0, 10.0]]},
            {"signature": "a", "kind": "db", "parents": ["transaction"], "durations": [[30.0, 10.0]]},
            {"signature": "b", "kind": "ext", "parents": ["transaction", "a"], "durations": [[15.0, 10.0]]},
            {"signature": "c", "kind": "cache", "parents": ["transaction"], "durations": [[10.0, 10.0]]},
        ]));
        let expected = [("app", 0.0), ("cache", 2.5), ("db", 0.0), ("ext", 7.5)];
        assert_eq!(times, expected.map(|(kind, ms)| (kind.to_owned(), ms)));
    }

    #[test]
    fn children_of_missing_spans_are_kept() {
        let sent = json!([
            {"signature": "transaction", "kind": "transaction", "durations": [[10.0, 10.0]]},
            {"signature": "b", "kind": "ext", "parents": ["transaction", "a"], "durations": [[4.0, 10.0]]},
        ]);
        assert_eq!(self_times(sent.clone()), [("app".to_owned(), 6.0), ("ext".to_owned(), 4.0)]);
        let groups = groups(sent);
        let tree = Tree::new(&groups, 0..2);
        let visits = tree.visits();
        assert_eq!((visits.len(), visits[0].depth, visits[0].parent), (1, 0, None));
    }
}
