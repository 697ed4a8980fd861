//! Nesting of spans.

/// A span with its id and the id of its parent.
pub struct Node<'a, Id> {
    pub id: Id,
    pub parent: Option<Id>,
    pub name: &'a str,
}

/// Returns the innermost spans, each preceded by its ancestors.
pub fn paths<Id: Copy + PartialEq>(nodes: &[Node<'_, Id>]) -> Vec<String> {
    let is_innermost = |node: &&Node<'_, Id>| nodes.iter().all(|other| other.parent != Some(node.id));
    nodes.iter().filter(is_innermost).map(|node| path(nodes, node)).collect()
}

fn path<Id: Copy + PartialEq>(nodes: &[Node<'_, Id>], node: &Node<'_, Id>) -> String {
    match nodes.iter().find(|other| Some(other.id) == node.parent) {
        Some(parent) => format!("{} > {}", path(nodes, parent), node.name),
        None => node.name.to_owned(),
    }
}
