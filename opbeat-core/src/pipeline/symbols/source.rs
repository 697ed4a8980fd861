//! Whose code a call is, and what its source says.

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

/// Parts of paths that hold other people's code: what cargo fetched, and the standard library.
const FOREIGN_PATHS: [&str; 6] =
    ["/.cargo/registry/", "/cargo/registry/", "/.cargo/git/", "/rustc/", "/.rustup/", "/rust/deps/"];

/// Crates that an application runs on, for binaries without debug information.
const FOREIGN_CRATES: [&str; 22] = [
    "actix",
    "alloc",
    "anyhow",
    "axum",
    "backtrace",
    "core",
    "eyre",
    "futures",
    "h2",
    "http",
    "hyper",
    "mio",
    "reqwest",
    "rustls",
    "serde",
    "sqlx",
    "std",
    "tokio",
    "tonic",
    "tower",
    "tracing",
    "opbeat",
];

/// Returns whether a call is the application's own code.
///
/// The source's path tells it; without one, the crate that the function's name begins with.
pub(super) fn is_application(function: &str, path: &str) -> bool {
    if path.is_empty() {
        return !is_foreign_crate(function);
    }
    let path = path.replace('\\', "/");
    let is_rust = path.ends_with(".rs");
    let is_foreign = FOREIGN_PATHS.iter().any(|part| path.contains(part)) || path.starts_with("library/");
    is_rust && !is_foreign && !is_adapter(function)
}

/// Returns whether a call belongs to the capture itself, so that it says nothing of the application.
pub(super) fn is_capture(function: &str) -> bool {
    let function = function.trim_start_matches('<');
    function.starts_with("backtrace::")
        || function.starts_with("opbeat_core::capture::")
        || function.starts_with("opbeat_core::agent::")
        || function.starts_with("opbeat_core::panic_hook::")
        || function.starts_with("opbeat_core::transaction::current::")
}

/// Returns whether a call only leads from a failed check to the panic's hook.
pub(super) fn is_panic_machinery(function: &str) -> bool {
    const PREFIXES: [&str; 9] = [
        "std::panicking",
        "core::panicking",
        "std::sys::backtrace",
        "rust_begin_unwind",
        "__rustc::rust_begin_unwind",
        "core::option::expect_failed",
        "core::option::unwrap_failed",
        "core::result::unwrap_failed",
        "<alloc::boxed::Box<F,A> as core::ops::function::Fn<Args>>::call",
    ];
    PREFIXES.iter().any(|prefix| function.starts_with(prefix))
        || (function.starts_with("<alloc::boxed::Box<") && function.contains("core::ops::function::Fn<"))
}

/// Returns whether a call only hands on to the next one, as those around a poll and a closure do: they are on each
/// asynchronous stack many times, and say nothing.
pub(super) fn is_plumbing(function: &str) -> bool {
    const PARTS: [&str; 12] = [
        "core::future::future::Future>::poll",
        "core::future::into_future",
        "core::ops::function::Fn",
        "core::panic::unwind_safe::AssertUnwindSafe",
        "std::panicking::try",
        "std::panicking::catch_unwind",
        "std::panic::catch_unwind",
        "std::sys::backtrace::__rust_begin_short_backtrace",
        "__rust_try",
        "futures_core::future::TryFuture",
        "tracing::instrument::Instrumented",
        "std::thread::local::LocalKey",
    ];
    PARTS.iter().any(|part| function.contains(part))
}

/// Names the body of an asynchronous function after the function: `shop::buy`, and not `shop::buy::{{closure}}`.
pub(super) fn readable(function: &str) -> String {
    let mut name = function;
    while let Some(outer) = name.strip_suffix("::{{closure}}").or_else(|| name.strip_suffix("::{closure#0}")) {
        name = outer;
    }
    name.to_owned()
}

/// Cuts a path to what tells it apart: from the crate's name for foreign code, from `src` or the file's folder for own.
pub(super) fn shorten(path: &str) -> &str {
    for marker in ["/registry/src/", "/git/checkouts/", "/rustc/", "/rust/deps/"] {
        if let Some((_, rest)) = path.split_once(marker) {
            // Behind the marker comes the registry's or the compiler's hash, which says nothing.
            return if marker == "/rust/deps/" { rest } else { rest.split_once('/').map_or(rest, |(_, rest)| rest) };
        }
    }
    let Some(src) = path.rfind("/src/") else {
        return path.rsplit('/').next().unwrap_or(path);
    };
    let folder = path[..src].rfind('/').map_or(0, |slash| slash + 1);
    &path[folder..]
}

/// The adapters and the core are on every stack; they lie in the application's own workspace when they are developed.
fn is_adapter(function: &str) -> bool {
    let function = function.trim_start_matches('<');
    ["opbeat_core::", "opbeat_tower::", "opbeat_axum::", "opbeat_actix::"]
        .iter()
        .any(|prefix| function.starts_with(prefix))
}

fn is_foreign_crate(function: &str) -> bool {
    let function = function.trim_start_matches(['<', '_', '&']);
    let krate = function.split("::").next().unwrap_or(function);
    FOREIGN_CRATES.iter().any(|foreign| krate == *foreign || krate.starts_with(&format!("{foreign}_")))
        || !function.contains("::")
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
    fn own_code_is_told_by_its_path() {
        let cases = [
            ("shop::cart::buy", "/srv/shop/src/cart.rs", true),
            ("sqlx_core::query", "/home/ada/.cargo/registry/src/index-1/sqlx-core-0.9.0/src/query.rs", false),
            ("core::option::Option<T>::unwrap", "/rustc/59807616e/library/core/src/option.rs", false),
            ("opbeat_tower::future", "/srv/opbeat/opbeat-tower/src/future.rs", false),
            ("shop::cart::buy", "", true),
            ("tokio::runtime::task", "", false),
            ("__libc_start_main", "", false),
            ("start_thread", "./nptl/pthread_create.c", false),
        ];
        for (function, path, expected) in cases {
            assert_eq!(is_application(function, path), expected, "{function} in {path:?}");
        }
    }

    #[test]
    fn asynchronous_noise_is_left_out() {
        assert_eq!(readable("shop::cart::buy::{{closure}}::{{closure}}"), "shop::cart::buy");
        assert!(is_plumbing("<core::pin::Pin<P> as core::future::future::Future>::poll"));
        assert!(is_plumbing("core::ops::function::FnOnce::call_once"));
        assert!(!is_plumbing("tokio::runtime::task::harness::Harness<T,S>::poll"));
    }

    #[test]
    fn paths_are_cut_to_what_tells_them_apart() {
        let cases = [
            ("/srv/shop/src/cart/mod.rs", "shop/src/cart/mod.rs"),
            ("/home/ada/.cargo/registry/src/index-1/sqlx-core-0.9.0/src/query.rs", "sqlx-core-0.9.0/src/query.rs"),
            ("/rustc/59807616e/library/core/src/option.rs", "library/core/src/option.rs"),
            ("main.rs", "main.rs"),
        ];
        for (path, expected) in cases {
            assert_eq!(shorten(path), expected);
        }
    }
}
