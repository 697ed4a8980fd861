//! Finds files and folders that import each other in a circle.

use std::collections::BTreeSet;
use std::fmt;

use crate::graph::Import;

/// Files or folders that import each other, directly or through others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The crate's or the folder's path.
    pub folder: String,
    /// The names within it: of files and folders.
    pub members: BTreeSet<String>,
    /// The imports among the members.
    pub imports: Vec<Import>,
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        write!(f, "{}: a circle of {}", self.folder, members.join(", "))?;
        for Import { from, to, name, line, .. } in &self.imports {
            write!(f, "\n    {from}:{line}: imports `{name}` of {to}")?;
        }
        Ok(())
    }
}

/// Returns the circles among the files of a crate.
#[must_use]
pub fn file_circles(imports: &[Import], root: &str) -> Vec<Circle> {
    let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
    let prefix = format!("{folder}/");
    circles(folder, imports, |path| path.strip_prefix(&prefix).map(ToOwned::to_owned))
}

/// Returns the circles among the members of each folder of a crate: its files, its sub-folders, and its own `mod.rs`.
#[must_use]
pub fn folder_circles(imports: &[Import]) -> Vec<Circle> {
    let mut folders = BTreeSet::new();
    for path in imports.iter().flat_map(|import| [&import.from, &import.to]) {
        let all = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.extend(all.filter(|folder| folder.contains("/src")));
    }
    let of_folder = |folder: &str| {
        let prefix = format!("{folder}/");
        circles(folder, imports, |path| {
            let member = path.strip_prefix(&prefix)?;
            Some(member.split_once('/').map_or(member, |(folder, _)| folder).to_owned())
        })
    };
    folders.into_iter().flat_map(of_folder).collect()
}

/// Returns the circles among the members that a path belongs to.
fn circles(folder: &str, imports: &[Import], member: impl Fn(&str) -> Option<String>) -> Vec<Circle> {
    let edges: Vec<(String, String, &Import)> =
        imports.iter().filter_map(|import| Some((member(&import.from)?, member(&import.to)?, import))).collect();
    let members: BTreeSet<&String> = edges.iter().flat_map(|(from, to, _)| [from, to]).collect();
    let reached = |start: &String| {
        let mut reached = BTreeSet::new();
        let mut open = vec![start];
        while let Some(next) = open.pop() {
            let further = edges.iter().filter(|(from, to, _)| from == next && from != to).map(|(_, to, _)| to);
            open.extend(further.filter(|to| reached.insert(to.as_str().to_owned())));
        }
        reached
    };
    let reached: Vec<(&String, BTreeSet<String>)> = members.iter().map(|start| (*start, reached(start))).collect();
    let mut circles: Vec<Circle> = Vec::new();
    for (start, from_start) in &reached {
        let of_circle = |(other, from_other): &&(&String, BTreeSet<String>)| {
            from_start.contains(*other) && from_other.contains(*start)
        };
        let members: BTreeSet<String> = reached.iter().filter(of_circle).map(|(name, _)| (*name).clone()).collect();
        if members.len() > 1 && circles.iter().all(|circle| circle.members != members) {
            let ties =
                edges.iter().filter(|(from, to, _)| from != to && members.contains(from) && members.contains(to));
            let imports = ties.map(|(_, _, import)| (*import).clone()).collect();
            circles.push(Circle { folder: folder.to_owned(), members, imports });
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::tests::graph;

    #[test]
    fn a_circle_of_files_is_found() {
        let files = [
            ("lib.rs", "mod b;\nmod c;\nmod d;\nmod e;"),
            ("b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::d::D; pub struct C;"),
            ("d.rs", "use crate::b::B; pub struct D;"),
            ("e.rs", "use crate::b::B;"),
        ];
        let found = file_circles(&graph(&files), "a/src/lib.rs");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].to_string().starts_with("a/src: a circle of b.rs, c.rs, d.rs\n    a/src/b.rs:1: imports `C`"));
        assert!(file_circles(&graph(&files[..3]), "a/src/lib.rs").is_empty());
    }

    #[test]
    fn a_circle_of_folders_is_found_without_one_of_files() {
        let files = [
            ("lib.rs", "mod b;\nmod c;"),
            ("b/mod.rs", "pub mod x;\npub mod y;"),
            ("b/x.rs", "pub struct X;"),
            ("b/y.rs", "use crate::c::C;"),
            ("c.rs", "use crate::b::x::X; pub struct C;"),
        ];
        assert!(file_circles(&graph(&files), "a/src/lib.rs").is_empty());
        let found = folder_circles(&graph(&files));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].members, ["b".to_owned(), "c.rs".to_owned()].into());
    }

    #[test]
    fn a_child_that_imports_from_its_parents_file_is_in_a_circle_with_it() {
        let files = [
            ("lib.rs", "mod b;"),
            ("b/mod.rs", "mod x;\nmod y;\nuse y::Y;\npub struct Own(Y);"),
            ("b/x.rs", "pub struct X;"),
            ("b/y.rs", "use super::Own;\nuse super::x::X;\npub struct Y;"),
        ];
        let found = folder_circles(&graph(&files));
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].folder.as_str(), found[0].imports.len()), ("a/src/b", 2));
    }
}
