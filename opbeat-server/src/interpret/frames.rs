//! Stack frames in the form that all pages expect: the oldest call first, with the application's own frames marked.

use opbeat_protocol::{ErrorBody, Frame};
use serde_json::{Map, Value};

use super::origin::{Language, Origin};

/// Parts of the paths of libraries, of the languages' own libraries and of the compilers, each after a `/`. In lower
/// case.
const LIBRARY_PARTS: [&str; 30] = [
    "site-packages/",
    "dist-packages/",
    "lib/python",
    "lib64/python",
    "lib/pypy",
    "lib-python/",
    "lib_pypy/",
    "node_modules/",
    "bower_components/",
    "gems/",
    "lib/ruby/1",
    "lib/ruby/2",
    "lib/ruby/3",
    "lib/ruby/site_ruby/",
    "lib/ruby/vendor_ruby/",
    ".rvm/rubies/",
    ".rbenv/versions/",
    "usr/local/go/src/",
    "usr/lib/go/",
    "usr/lib/go-",
    "go/pkg/mod/",
    "libexec/src/runtime/",
    ".cargo/registry/",
    ".cargo/git/",
    "cargo/registry/",
    "rustc/",
    ".rustup/",
    "library/std/src/",
    "library/core/src/",
    "library/alloc/src/",
];

/// The starts of paths that are no files, or are files of the languages themselves. In lower case.
const LIBRARY_STARTS: [&str; 9] =
    ["<", "node:", "internal/", "node_modules/", "library/std/", "library/core/", "library/alloc/", "gems/", "rustc/"];

/// The modules of Node.js before version 16, which have no folder: `timers.js`, `_http_server.js`.
const NODE_MODULES: [&str; 26] = [
    "assert",
    "async_hooks",
    "buffer",
    "bootstrap_node",
    "child_process",
    "cluster",
    "crypto",
    "dgram",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "https",
    "module",
    "net",
    "node",
    "path",
    "process",
    "punycode",
    "querystring",
    "readline",
    "stream",
    "timers",
    "tls",
    "zlib",
];

/// The order in which an agent sent a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    OldestFirst,
    NewestFirst,
}

/// Removes the calls of the Python agent itself, and orders the frames from the oldest call to the newest. Returns the
/// order in which they arrived.
///
/// Only the Python agent sends the newest call first, with log records and messages.
pub(super) fn put_in_order(origin: &Origin, body: &mut ErrorBody) -> Order {
    let is_message = body.exception.is_none();
    let Some(stack) = &mut body.stacktrace else { return Order::OldestFirst };
    let language = origin.language().or_else(|| language_of(&stack.frames));
    if language != Some(Language::Python) {
        return Order::OldestFirst;
    }
    stack.frames.retain(|frame| !is_python_agent(frame));
    if !is_message {
        return Order::OldestFirst;
    }
    stack.frames.reverse();
    Order::NewestFirst
}

/// Returns the language that the files of a stack are written in, for agents that no header names.
fn language_of(frames: &[Frame]) -> Option<Language> {
    let newest = frames.iter().rev().find(|frame| frame.filename.contains('.'))?;
    match newest.filename.rsplit('.').next() {
        Some("py") => Some(Language::Python),
        Some("rb") => Some(Language::Ruby),
        Some("go") => Some(Language::Go),
        Some("rs") => Some(Language::Rust),
        _ => None,
    }
}

/// Marks the application's own frames, unless the agent does.
///
/// A frame of a language's own library is never the application's: some versions of the agents mark it as such.
pub(super) fn mark_application(origin: &Origin, body: &mut ErrorBody) {
    let is_browser = origin.language() == Some(Language::Browser);
    for frame in body.stacktrace.iter_mut().flat_map(|stack| &mut stack.frames) {
        let by_agent = frame.in_app.filter(|is_own| is_browser || !is_own);
        frame.in_app = Some(by_agent.unwrap_or_else(|| is_application(frame)));
    }
}

fn is_application(frame: &Frame) -> bool {
    let path = frame.abs_path.as_deref().unwrap_or(&frame.filename);
    let has_start = |starts: &[&str], path: &str| starts.iter().any(|start| starts_with(path, start));
    let mut after_slashes = path.match_indices(['/', '\\']).map(|(at, _)| &path[at + 1..]);
    let is_library = has_start(&LIBRARY_STARTS, path)
        || after_slashes.any(|rest| has_start(&LIBRARY_PARTS, rest) || is_python_of_windows(rest))
        || is_node_module(path);
    !is_library && !is_python_agent(frame)
}

/// Returns whether a path starts with a text in lower case, in any case and with any kind of slashes.
fn starts_with(path: &str, start: &str) -> bool {
    let plain = |byte: u8| if byte == b'\\' { b'/' } else { byte.to_ascii_lowercase() };
    path.len() >= start.len() && path.bytes().zip(start.bytes()).all(|(byte, expected)| plain(byte) == expected)
}

/// Returns whether the rest of a path is in the library of Python on Windows: `Python27\Lib\json\decoder.py`.
fn is_python_of_windows(path: &str) -> bool {
    if !starts_with(path, "python") {
        return false;
    }
    let after = path["python".len()..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    starts_with(after, "/lib/")
}

fn is_node_module(path: &str) -> bool {
    let Some(name) = path.strip_suffix(".js") else { return false };
    NODE_MODULES.contains(&name) || (name.starts_with('_') && !name.contains('/'))
}

fn is_python_agent(frame: &Frame) -> bool {
    frame.module.as_ref().is_some_and(|module| module == "opbeat" || module.starts_with("opbeat."))
}

/// Takes the stack that a span was started from out of the span's extra values, where agents send it.
///
/// Returns the frames, the oldest call first.
pub(super) fn take_span_stack(origin: &Origin, extra: &mut Map<String, Value>) -> Vec<Frame> {
    let Some(frames) = extra.remove("_frames") else { return Vec::new() };
    let mut frames: Vec<Frame> = serde_json::from_value(frames).unwrap_or_default();
    if origin.is_python() {
        // The Python agent sends the newest call first: its own calls, then the traced one.
        let first_traced = frames.iter().position(|frame| !is_python_agent(frame)).unwrap_or(0);
        frames.drain(..first_traced);
        frames.reverse();
    }
    frames
}
