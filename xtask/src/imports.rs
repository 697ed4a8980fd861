//! Finds the modules of its own crate that a file imports.

use crate::Source;

/// A path into the file's own crate, by its first module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The first module of the path, such as `store`.
    pub module: String,
    /// The line, from 1.
    pub line: usize,
}

/// Returns the modules of its own crate that a file names, by `crate::…` anywhere outside of comments.
///
/// Paths that begin with `super` stay within the file's own top-level module, or else would climb to the crate's root,
/// which rustfmt and reviews both turn into `crate`.
#[must_use]
pub fn imports(source: &Source) -> Vec<Import> {
    let lines = source.text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]");
    let code = lines.filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(index, line)| modules(line).map(move |module| Import { module, line: index + 1 })).collect()
}

fn modules(line: &str) -> impl Iterator<Item = String> + '_ {
    line.match_indices("crate::").filter(|(at, _)| !is_longer_word(line, *at)).flat_map(|(at, found)| {
        let rest = &line[at + found.len()..];
        let group = rest.strip_prefix('{').map(|rest| rest.split('}').next().unwrap_or(rest));
        let parts: Vec<&str> = group.map_or_else(|| vec![rest], |group| group.split(',').collect());
        parts.into_iter().map(first_word).filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase()))
    })
}

/// `other_crate::x` is not `crate::x`.
fn is_longer_word(line: &str, at: usize) -> bool {
    line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
}

fn first_word(path: &str) -> String {
    path.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
