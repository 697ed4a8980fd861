//! Stack traces, which OTLP sends as text in the form of each language.
//!
//! All parsers return the oldest call first. A text that they do not understand has no frames; it is kept as it is.

mod go;
mod java;
mod node;
mod python;
mod rust;

use opbeat_protocol::{Exception, Frame};

/// The largest number of frames that are kept of a stack: the newest ones.
const MAX_FRAMES: usize = 200;

/// The largest number of causes that are kept.
const MAX_CAUSES: usize = 20;

/// A language whose stack traces can be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Node,
    Java,
    Go,
    Rust,
}

/// A parsed stack trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stack {
    /// The frames, the oldest call first.
    pub(super) frames: Vec<Frame>,
    /// The causes, the direct cause first.
    pub(super) causes: Vec<Exception>,
}

impl Language {
    /// Returns the language with a name, as `telemetry.sdk.language` sends it.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "python" => Some(Self::Python),
            "nodejs" | "webjs" | "javascript" => Some(Self::Node),
            "java" | "kotlin" | "scala" => Some(Self::Java),
            "go" => Some(Self::Go),
            "rust" => Some(Self::Rust),
            _ => None,
        }
    }

    /// Guesses the language of a stack trace.
    fn guess(text: &str) -> Option<Self> {
        let has_line = |is_line: &dyn Fn(&str) -> bool| text.lines().take(50).any(|line| is_line(line.trim()));
        if has_line(&|line| line.starts_with("File \"")) {
            Some(Self::Python)
        } else if text.starts_with("goroutine ") || has_line(&|line| line.contains(".go:")) {
            Some(Self::Go)
        } else if has_line(&|line| line.starts_with("at ") && line.contains(".rs:")) {
            Some(Self::Rust)
        } else if has_line(&|line| line.starts_with("at ") && (line.contains(".java:") || line.contains(".kt:"))) {
            Some(Self::Java)
        } else if has_line(&|line| line.starts_with("at ")) {
            Some(Self::Node)
        } else {
            None
        }
    }
}

/// Parses a stack trace.
pub(super) fn parse(text: &str, language: Option<Language>) -> Stack {
    let mut stack = match language.or_else(|| Language::guess(text)) {
        Some(Language::Python) => python::parse(text),
        Some(Language::Node) => node::parse(text),
        Some(Language::Java) => java::parse(text),
        Some(Language::Go) => go::parse(text),
        Some(Language::Rust) => rust::parse(text),
        None => Stack::default(),
    };
    let surplus = stack.frames.len().saturating_sub(MAX_FRAMES);
    stack.frames.drain(..surplus);
    stack.causes.truncate(MAX_CAUSES);
    stack
}

/// Splits a type such as `shop.errors.OutOfStock` into its module and its name.
pub(super) fn split_type(full: &str, separator: &str) -> (Option<String>, String) {
    match full.rsplit_once(separator) {
        Some((module, name)) if !module.is_empty() && !name.is_empty() => (Some(module.to_owned()), name.to_owned()),
        _ => (None, full.to_owned()),
    }
}

/// Splits `path:line:column` or `path:line`. The line and the column are 0 if they are missing.
fn split_location(location: &str) -> (&str, u32, u32) {
    let number = |text: &str| text.parse::<u32>().ok();
    let Some((rest, last)) = location.rsplit_once(':') else { return (location, 0, 0) };
    let Some(last) = number(last) else { return (location, 0, 0) };
    match rest.rsplit_once(':').and_then(|(path, line)| Some((path, number(line)?))) {
        Some((path, line)) => (path, line, last),
        None => (rest, last, 0),
    }
}

/// Returns the last segment of a path.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests;
