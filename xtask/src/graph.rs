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
    /// The top-level module that the path leads through, which may re-export the name of another one.
    pub through: String,
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
    imports.dedup_by(|a, b| (&a.from, &a.to, &a.name, &a.through) == (&b.from, &b.to, &b.name, &b.through));
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
        through: through(modules, id, &path.segments, 0).unwrap_or_default(),
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

/// Returns the top-level module that a path in a module leads through, or that defines what the root re-exports.
fn through(modules: &Modules, id: Id, segments: &[String], steps: usize) -> Option<String> {
    let (first, rest) = segments.split_first()?;
    let module = &modules.all[id];
    match first.as_str() {
        _ if steps > MAX_STEPS => None,
        "crate" => through_module(modules, 0, rest, steps),
        "self" => through_module(modules, id, rest, steps),
        "super" => through_module(modules, module.parent?, rest, steps),
        first if module.children.contains_key(first) => through_module(modules, id, segments, steps),
        first => {
            let imported = module.uses.iter().find(|found| found.alias == first)?;
            let path: Vec<String> = imported.path.segments.iter().chain(rest).cloned().collect();
            through(modules, id, &path, steps + 1)
        }
    }
}

/// Returns the same for the rest of a path, after the module that its first segments name.
fn through_module(modules: &Modules, id: Id, rest: &[String], steps: usize) -> Option<String> {
    let first = rest.first()?;
    match modules.all[id].parent {
        Some(parent) if first == "super" => through_module(modules, parent, &rest[1..], steps),
        Some(_) => top_level(modules, id),
        None if modules.all[id].children.contains_key(first) => Some(first.clone()),
        None => through(modules, id, rest, steps + 1),
    }
}

/// Returns the name of the top-level module that a module is in.
fn top_level(modules: &Modules, id: Id) -> Option<String> {
    let mut ancestors = std::iter::successors(Some(id), |id| modules.all[*id].parent);
    let top = ancestors.find(|id| modules.all[*id].parent == Some(0))?;
    modules.all[0].children.iter().find(|(_, child)| **child == top).map(|(name, _)| name.clone())
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn graph(files: &[(&str, &str)]) -> Vec<Import> {
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
    fn a_path_leads_through_the_module_that_it_names() {
        let files = [
            ("lib.rs", "mod b;\nmod c;\nmod d;\npub use b::x::X;"),
            ("b/mod.rs", "pub mod x;"),
            ("b/x.rs", "pub struct X;"),
            ("c.rs", "pub use crate::b::x::X;"),
            ("d/mod.rs", "mod e;"),
            ("d/e.rs", "use crate::c;\nuse crate::X;\nfn f() { c::X::new(); super::super::b::x::g() }"),
        ];
        let found = graph(&files);
        let through: Vec<(&str, &str)> = found
            .iter()
            .filter(|import| import.from.ends_with("e.rs"))
            .map(|import| (import.name.as_str(), import.through.as_str()))
            .collect();
        assert_eq!(through, [("X", "b"), ("g", "b"), ("new", "c")]);
    }
}
