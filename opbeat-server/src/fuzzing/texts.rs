//! Texts in which the server finds structure.

use std::borrow::Cow;

use opbeat_secrets::Secrets;

use super::secrets;
use crate::interpret::normalise as normal;
use crate::otlp::fuzzing::{stack, summary};

/// Summarises a query: its summary has at most 100 characters of a command, and as many of a name.
pub fn sql_statement(data: &[u8]) {
    if let Some(summary) = summary(&text(data)) {
        assert!(summary.chars().count() <= 201, "a summary is short: {summary:?}");
        assert!(!summary.is_empty(), "a summary says something");
    }
}

/// Parses a stack trace in each language. Its frames take at most 16 bytes of JSON for each byte, and 512 KiB more.
pub fn stack_trace(data: &[u8]) {
    let text = text(data);
    let size = stack(&text);
    assert!(size <= text.len() * 16 + (512 << 10), "the frames of {} bytes take {size} bytes", text.len());
}

/// Replaces the varying parts of a message. The result has at most four bytes for each byte, and 16 more.
pub fn normalise(data: &[u8]) {
    let text = text(data);
    for (normal, kind) in [(normal::normalise(&text), "message"), (normal::normalise_path(&text), "path")] {
        assert!(normal.len() <= text.len() * 4 + 16, "{kind}: {text:?} becomes {normal:?}");
    }
}

/// Removes secrets from a text and from a line of source code. A token at the end is removed in any text.
pub fn scrub(data: &[u8]) {
    let text = text(data);
    let rules = Secrets::default();
    for scrub in [Secrets::scrub, Secrets::scrub_source] {
        let scrubbed = scrub(&rules, &text);
        assert!(scrubbed.len() <= text.len() * 12 + 16, "{text:?} becomes {scrubbed:?}");
        let planted = secrets::with_token(&text);
        let scrubbed = scrub(&rules, &planted);
        // An input may contain the mark without a token around it.
        let is_kept = !text.contains(secrets::MARK) && scrubbed.contains(secrets::MARK);
        assert!(!is_kept, "a secret is kept: {scrubbed:?}");
    }
}

fn text(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}
