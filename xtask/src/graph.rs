//! Finds which file of a crate imports which other one.
//!
//! A name that a module re-exports leads to the file that defines it, so that a `mod.rs` that only declares and
//! re-exports is no part of a circle.

use std::collections::BTreeSet;

use crate::Source;
use crate::modules::{Id, Modules, Path, Use};

/// An import of one file from another of the same crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The path of the file that imports.
    pub from: String,
    /// The path of the file that defines the name.
    pub to: String,
    /// The name.
    pub name: String,
    /// The line, from 1.
    pub line: usize,
}

/// Longer chains of re-exports are circles of names, such as those of external crates that share a module's name.
const MAX_STEPS: usize = 16;

/// Returns the roots of the crates that are named `opbeat-…` and of this one: `src/lib.rs` and `src/main.rs`.
#[must_use]
pub fn crate_roots(sources: &[Source]) -> Vec<&str> {
    let paths = sources.iter().map(|source| source.path.as_str());
    paths
        .filter(|path| {
            let folder = path.strip_suffix("/src/lib.rs").or_else(|| path.strip_suffix("/src/main.rs"));
            folder.is_some_and(|folder| folder == "xtask" || (folder.starts_with("opbeat-") && !folder.contains('/')))
        })
        .collect()
}

/// Returns the imports among the files of a crate outside of its tests, each name once for each pair of files.
#[must_use]
pub fn imports(sources: &[Source], root: &str) -> Vec<Import> {
    let modules = Modules::of(sources, root);
    let mut imports: Vec<Import> = (0..modules.all.len()).flat_map(|id| of_module(&modules, id)).collect();
    imports.sort();
    imports.dedup_by(|a, b| (&a.from, &a.to, &a.name) == (&b.from, &b.to, &b.name));
    imports
}

/// Returns the names that the root file of a crate makes public: of its items, modules and re-exports.
#[must_use]
pub fn public_names(sources: &[Source], root: &str) -> BTreeSet<String> {
    Modules::of(sources, root).all.swap_remove(0).exported
}

/// The end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Module(Id),
    /// An item of the module.
    Item(Id),
}

fn of_module(modules: &Modules, id: Id) -> Vec<Import> {
    let module = &modules.all[id];
    let import = |path: &Path, target: Id| Import {
        from: module.file.clone(),
        to: modules.all[target].file.clone(),
        name: path.segments.last().cloned().unwrap_or_default(),
        line: path.line,
    };
    let uses = module.uses.iter().filter_map(|found| Some(import(&found.path, of_use(modules, id, found)?)));
    let paths = module.paths.iter().filter_map(|path| match resolve(modules, id, &path.segments, 0)? {
        Target::Item(target) => Some(import(path, target)),
        // A module's own name says nothing of its items.
        Target::Module(_) => None,
    });
    uses.chain(paths).filter(|import| import.from != import.to).collect()
}

/// Returns the module whose item a `use` imports. The re-exports of a module's own children are no imports.
fn of_use(modules: &Modules, id: Id, found: &Use) -> Option<Id> {
    let target = match resolve(modules, id, &found.path.segments, 0)? {
        Target::Item(target) => target,
        Target::Module(target) if found.alias == "*" => target,
        // The paths that begin with the module lead to the items that are used.
        Target::Module(_) => return None,
    };
    let module = &modules.all[id];
    let is_named = module.words.contains(&found.alias);
    let is_trait = found.alias == "_" || modules.all[target].traits.contains(&found.alias);
    let is_used = is_named || (is_trait && !found.is_public);
    (is_used || !is_below(modules, target, id)).then_some(target)
}

fn is_below(modules: &Modules, module: Id, ancestor: Id) -> bool {
    let mut parents = std::iter::successors(modules.all[module].parent, |id| modules.all[*id].parent);
    parents.any(|parent| parent == ancestor)
}

/// Follows a path that is written in a module. Returns `None` if it leaves the crate or names a local item.
fn resolve(modules: &Modules, id: Id, segments: &[String], steps: usize) -> Option<Target> {
    let (first, rest) = segments.split_first()?;
    let module = &modules.all[id];
    match first.as_str() {
        "crate" => descend(modules, 0, rest, steps),
        "self" => descend(modules, id, rest, steps),
        "super" => {
            let parent = module.parent?;
            let is_further = rest.first().is_some_and(|next| next == "super");
            if is_further { resolve(modules, parent, rest, steps) } else { descend(modules, parent, rest, steps) }
        }
        first if module.children.contains_key(first) || module.uses.iter().any(|found| found.alias == first) => {
            descend(modules, id, segments, steps)
        }
        _ => None,
    }
}

/// Follows the rest of a path from a module down.
fn descend(modules: &Modules, id: Id, segments: &[String], steps: usize) -> Option<Target> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(Target::Module(id));
    };
    if steps > MAX_STEPS {
        return None;
    }
    let module = &modules.all[id];
    let child = module.children.get(first);
    let imported = module.uses.iter().find(|found| found.alias == *first);
    // A function can have its module's name; the last segment then means the function.
    match (imported, child) {
        (Some(found), child) if rest.is_empty() || child.is_none() => {
            let path: Vec<String> = found.path.segments.iter().chain(rest).cloned().collect();
            let target = resolve(modules, id, &path, steps + 1);
            target.or_else(|| child.map(|child| Target::Module(*child)))
        }
        (_, Some(child)) => descend(modules, *child, rest, steps),
        _ => by_glob(modules, id, segments, steps).or(Some(Target::Item(id))),
    }
}

/// Follows a path whose first segment a `use …::*` may bring into the module.
fn by_glob(modules: &Modules, id: Id, segments: &[String], steps: usize) -> Option<Target> {
    let globs = modules.all[id].uses.iter().filter(|found| found.alias == "*");
    let mut targets = globs.filter_map(|glob| match resolve(modules, id, &glob.path.segments, steps + 1)? {
        Target::Module(target) if target != id => Some(target),
        _ => None,
    });
    let target = targets.find(|target| has(modules, *target, &segments[0]))?;
    descend(modules, target, segments, steps + 1)
}

fn has(modules: &Modules, id: Id, name: &str) -> bool {
    let module = &modules.all[id];
    module.defined.contains(name) || module.uses.iter().any(|found| found.alias == name)
}

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

impl std::fmt::Display for Circle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        write!(f, "{}: a circle of {}", self.folder, members.join(", "))?;
        for Import { from, to, name, line } in &self.imports {
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

    fn graph(files: &[(&str, &str)]) -> Vec<Import> {
        let files: Vec<Source> = files
            .iter()
            .map(|(path, text)| Source { path: format!("a/src/{path}"), text: (*text).to_owned() })
            .collect();
        imports(&files, "a/src/lib.rs")
    }

    fn edges(files: &[(&str, &str)]) -> Vec<String> {
        let short = |path: &str| path.trim_start_matches("a/src/").to_owned();
        graph(files).iter().map(|found| format!("{} {} {}", short(&found.from), found.name, short(&found.to))).collect()
    }

    #[test]
    fn a_re_exported_name_leads_to_its_definition() {
        let files = [
            ("lib.rs", "mod b;\nmod c;\npub use b::X;"),
            ("b/mod.rs", "mod x;\nmod y;\npub(crate) use x::{X, Z as Renamed};\npub(crate) struct Own;"),
            ("b/x.rs", "pub(crate) struct X; pub(crate) struct Z;"),
            ("b/y.rs", "use super::X;\nuse super::Own;"),
            ("c.rs", "use crate::X;\nuse crate::b;\nuse std::fmt;\nfn f() { b::Renamed::new(); fmt::x(); }"),
        ];
        assert_eq!(edges(&files), ["b/y.rs Own b/mod.rs", "b/y.rs X b/x.rs", "c.rs X b/x.rs", "c.rs new b/x.rs"]);
    }

    #[test]
    fn a_function_with_its_modules_name_and_a_glob_are_followed() {
        let files = [
            ("lib.rs", "mod b;\nmod c;\nmod d;\npub use b::*;\npub use c::c;"),
            ("b.rs", "pub fn g() {}"),
            ("c.rs", "pub fn c() {}"),
            ("d.rs", "use crate::{b, c};\nfn f() { crate::c::c(); super::g(); }"),
        ];
        assert_eq!(edges(&files), ["d.rs g b.rs", "d.rs c c.rs"]);
    }

    #[test]
    fn a_parent_that_uses_its_child_imports_it() {
        let files = [
            ("lib.rs", "mod b;\nmod c;\nmod t;\npub use b::B;\nuse c::C;\nuse t::T;\nfn f(_: B) { c::g() }"),
            ("b.rs", "pub struct B;"),
            ("c.rs", "pub struct C; pub fn g() {}"),
            ("t.rs", "pub trait T {}\n#[cfg(test)]\nmod tests { use crate::B; }"),
        ];
        assert_eq!(edges(&files), ["lib.rs B b.rs", "lib.rs g c.rs", "lib.rs T t.rs"]);
    }

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
