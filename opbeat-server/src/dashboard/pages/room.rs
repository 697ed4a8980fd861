//! The room of a page for what applications report.
//!
//! A report may be megabytes large, and its HTML several times larger: characters are escaped, and nested values are
//! indented. A browser needs seconds for such a page, and nobody reads it.

use std::cell::Cell;
use std::fmt;

use maud::{Markup, Render, html};
use serde::Serialize;

/// The room of a page, in bytes of HTML.
const PAGE: usize = 768 << 10;

/// The largest text that is shown, in bytes of HTML.
const TEXT: usize = 64 << 10;

/// The bytes that count for the elements around a text.
const ELEMENTS: usize = 100;

/// The room that is left on a page. Each shown text takes some of it.
pub(super) struct Room {
    left: Cell<usize>,
    is_complete: Cell<bool>,
}

impl Room {
    pub(super) fn new() -> Self {
        Self { left: Cell::new(PAGE), is_complete: Cell::new(true) }
    }

    /// Returns the start of a text for which there is room. An ellipsis stands for the rest.
    pub(super) fn text<'t>(&self, text: &'t str) -> Start<'t> {
        let most = self.left.get().saturating_sub(ELEMENTS).min(TEXT);
        let mut size = 0;
        let end = text.char_indices().find(|(_, character)| {
            size += escaped_len(*character);
            size > most
        });
        let end = end.map(|(end, _)| end);
        self.left.set(self.left.get().saturating_sub(size + ELEMENTS));
        if end.is_some() {
            self.is_complete.set(false);
        }
        Start { text: &text[..end.unwrap_or(text.len())], is_cut: end.is_some() }
    }

    /// Returns the start of a value as indented JSON.
    pub(super) fn json(&self, value: &impl Serialize) -> String {
        let mut json = Limited { bytes: Vec::new(), most: self.left.get().min(TEXT) + 1 };
        // It ends with an error at the limit.
        let _ = serde_json::to_writer_pretty(&mut json, value);
        self.text(&String::from_utf8_lossy(&json.bytes)).to_string()
    }

    /// Returns items as long as there is room. Showing an item must take room.
    pub(super) fn items<T>(&self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        items.take_while(|_| {
            let has_room = self.left.get() > ELEMENTS;
            if !has_room {
                self.is_complete.set(false);
            }
            has_room
        })
    }

    /// Says where the rest is, if something was not shown.
    pub(super) fn rest(&self) -> Markup {
        html! {
            @if !self.is_complete.get() {
                p.notice { "The report is too large to be shown completely. The API returns all of it." }
            }
        }
    }
}

/// The start of a text.
pub(super) struct Start<'t> {
    text: &'t str,
    is_cut: bool,
}

impl fmt::Display for Start<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text)?;
        if self.is_cut { formatter.write_str("…") } else { Ok(()) }
    }
}

impl Render for Start<'_> {
    fn render_to(&self, buffer: &mut String) {
        self.text.render_to(buffer);
        if self.is_cut {
            buffer.push('…');
        }
    }
}

/// Returns the number of bytes of a character in HTML.
const fn escaped_len(character: char) -> usize {
    match character {
        '"' => "&quot;".len(),
        '&' => "&amp;".len(),
        '<' | '>' => "&lt;".len(),
        other => other.len_utf8(),
    }
}

/// Collects at most a number of bytes.
struct Limited {
    bytes: Vec<u8>,
    most: usize,
}

impl std::io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Writing nothing ends the value.
        let fits = bytes.len().min(self.most - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
