//! Readable function names and paths, and source lines.

use std::collections::HashMap;
use std::fs;

use crate::record::Frame;

/// The number of source lines that are sent before and after a frame's line.
const CONTEXT: usize = 5;

/// The size in bytes above which files are not read, and the number of characters to which lines are cut.
const MAX_FILE: u64 = 1024 * 1024;
const MAX_LINE: usize = 300;

/// The largest number of files that are kept in memory.
const MAX_FILES: usize = 64;

/// The compiler's names of the bodies of asynchronous functions and closures.
const BODIES: [&str; 3] = ["::{{closure}}", "::{closure#0}", "::{{synthetic}}"];

/// Returns the name of the function that a body belongs to: `shop::buy` for `shop::buy::{{closure}}`.
pub(super) fn readable(function: &str) -> String {
    let mut name = function;
    while let Some(outer) = BODIES.iter().find_map(|body| name.strip_suffix(body)) {
        name = outer;
    }
    name.to_owned()
}

/// Returns the end of a path: from the package's folder on, or from `library` on for the standard library.
///
/// A path without a folder `src` is cut to the file's name.
pub(super) fn shorten(path: &str) -> &str {
    for marker in ["/registry/src/", "/git/checkouts/", "/rustc/"] {
        if let Some((_, rest)) = path.split_once(marker) {
            // The next part is the hash of the registry or of the compiler.
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

/// Source files, if the application runs on a machine that has them.
#[derive(Default)]
pub(super) struct Sources {
    files: HashMap<String, Option<Vec<String>>>,
}

impl Sources {
    /// Adds the source lines around the line of an application's frame, if its file can be read.
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
    fn paths_start_at_the_package() {
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
