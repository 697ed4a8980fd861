//! What a call is called, and what its source says.

use std::collections::HashMap;
use std::fs;

use crate::record::Frame;

/// Lines shown before and after a frame's line.
const CONTEXT: usize = 5;

/// Longer files are not read, and longer lines are cut.
const MAX_FILE: u64 = 1024 * 1024;
const MAX_LINE: usize = 300;

/// Files kept in memory.
const MAX_FILES: usize = 64;

/// What the compiler calls the bodies of asynchronous functions and of closures.
const BODIES: [&str; 3] = ["::{{closure}}", "::{closure#0}", "::{{synthetic}}"];

/// Names the body of an asynchronous function after the function: `shop::buy`, and not `shop::buy::{{closure}}`.
pub(super) fn readable(function: &str) -> String {
    let mut name = function;
    while let Some(outer) = BODIES.iter().find_map(|body| name.strip_suffix(body)) {
        name = outer;
    }
    name.to_owned()
}

/// Cuts a path to what tells it apart: from the crate's name for foreign code, from `src` or the file's folder for own.
pub(super) fn shorten(path: &str) -> &str {
    for marker in ["/registry/src/", "/git/checkouts/", "/rustc/"] {
        if let Some((_, rest)) = path.split_once(marker) {
            // Behind the marker comes the registry's or the compiler's hash, which says nothing.
            return rest.split_once('/').map_or(rest, |(_, rest)| rest);
        }
    }
    if let Some((_, rest)) = path.split_once("/rust/deps/") {
        return rest;
    }
    let Some(src) = path.rfind("/src/") else {
        return path.rsplit('/').next().unwrap_or(path);
    };
    let folder = path[..src].rfind('/').map_or(0, |slash| slash + 1);
    &path[folder..]
}

/// Source files at hand, where the application runs beside its source.
#[derive(Default)]
pub(super) struct Sources {
    files: HashMap<String, Option<Vec<String>>>,
}

impl Sources {
    /// Adds the lines around an own frame's line, if its file can be read.
    pub(super) fn add_context(&mut self, frame: &mut Frame) {
        if !frame.in_app || frame.line == 0 {
            return;
        }
        let Some(lines) = self.lines(&frame.path) else { return };
        let at = frame.line as usize - 1;
        let Some(line) = lines.get(at) else { return };
        frame.context_line = Some(line.clone());
        frame.pre_context = lines[at.saturating_sub(CONTEXT)..at].to_vec();
        frame.post_context = lines[at + 1..lines.len().min(at + 1 + CONTEXT)].to_vec();
    }

    fn lines(&mut self, path: &str) -> Option<&[String]> {
        if !self.files.contains_key(path) {
            if self.files.len() >= MAX_FILES {
                self.files.clear();
            }
            self.files.insert(path.to_owned(), read(path));
        }
        self.files.get(path).and_then(Option::as_deref)
    }
}

fn read(path: &str) -> Option<Vec<String>> {
    if fs::metadata(path).ok()?.len() > MAX_FILE {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().map(|line| line.chars().take(MAX_LINE).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_named_after_their_functions() {
        assert_eq!(readable("shop::cart::buy::{{closure}}::{{closure}}"), "shop::cart::buy");
        assert_eq!(readable("shop::cart::buy::{{closure}}::{{synthetic}}"), "shop::cart::buy");
    }

    #[test]
    fn paths_are_cut_to_what_tells_them_apart() {
        let cases = [
            ("/srv/shop/src/cart/mod.rs", "shop/src/cart/mod.rs"),
            ("/home/ada/.cargo/registry/src/index-1/sqlx-core-0.9.0/src/query.rs", "sqlx-core-0.9.0/src/query.rs"),
            ("/app/vendor/sqlx-core/src/query.rs", "sqlx-core/src/query.rs"),
            ("/rustc/59807616e/library/core/src/option.rs", "library/core/src/option.rs"),
            ("main.rs", "main.rs"),
        ];
        for (path, expected) in cases {
            assert_eq!(shorten(path), expected);
        }
    }
}
