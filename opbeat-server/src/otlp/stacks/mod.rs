//! Stack traces, which OTLP sends as text in the form of each language.
//!
//! All parsers return the oldest call first. A text that they do not understand has no frames; it is kept as it is.

mod go;
mod java;
mod node;
mod parts;
mod python;
mod rust;

use std::borrow::Cow;

use parts::Stack;
pub(super) use parts::split_type;

/// The largest number of frames that are kept of a stack: the newest ones.
const MAX_FRAMES: usize = 200;

/// The largest number of causes that are kept.
const MAX_CAUSES: usize = 20;

/// The largest length of a stack trace that is parsed, in bytes. The middle of a longer one is left out, since the newest
/// call is either first or last.
const MAX_TEXT: usize = 256 << 10;

/// A language whose stack traces can be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Python,
    Node,
    Java,
    Go,
    Rust,
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
    let text = &*without_middle(text);
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

/// Returns the first and the last half of [`MAX_TEXT`] bytes of a longer text.
fn without_middle(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(MAX_TEXT / 2);
    let start = text.ceil_char_boundary(text.len() - MAX_TEXT / 2);
    Cow::Owned([text.get(..end), text.get(start..)].map(Option::unwrap_or_default).join("\n"))
}

#[cfg(test)]
mod tests;
