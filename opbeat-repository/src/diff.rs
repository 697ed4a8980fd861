//! Compares texts line by line, exactly or without regard to layout.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use gix::diff::blob::{Algorithm, Diff, IndentHeuristic, IndentLevel, InternedInput, Interner};

use crate::Error;
use crate::objects::Objects;

/// The width of a tab, as Git's heuristic for the position of hunks assumes it.
const TAB_WIDTH: u8 = 8;

/// Differences that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Every byte.
    Exact,
    /// Every byte but whitespace outside of strings and between words.
    Layout(Indentation),
}

/// Whether the indentation of a line has a meaning, as in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indentation {
    Free,
    Significant,
}

impl Indentation {
    /// Returns the rule of the language that the file's name shows.
    pub(crate) fn of(path: &[u8]) -> Self {
        const ENDINGS: [&[u8]; 15] = [
            b".py", b".pyi", b".pyx", b".yaml", b".yml", b".hs", b".coffee", b".nim", b".fs", b".fsx", b".sass",
            b".pug", b".haml", b".slim", b"akefile",
        ];
        if ENDINGS.iter().any(|ending| path.ends_with(ending)) { Self::Significant } else { Self::Free }
    }
}

/// Lines that differ: `before` was replaced by `after`. Line numbers start at 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hunk {
    pub(crate) before: Range<usize>,
    pub(crate) after: Range<usize>,
}

/// The place of a line in the text before.
pub(crate) enum Place {
    Kept(usize),
    Changed(Hunk),
}

/// Splits a text into lines, which include their ends.
pub(crate) fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

struct Line<'a> {
    key: Cow<'a, [u8]>,
    text: &'a [u8],
}

impl PartialEq for Line<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Line<'_> {}

impl Hash for Line<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

/// Returns the differences between two texts, in the order of their lines.
pub(crate) fn hunks<'l>(
    objects: &Objects<'_>,
    before: &[&'l [u8]],
    after: &[&'l [u8]],
    form: Form,
) -> Result<Vec<Hunk>, Error> {
    objects.spend_lines(before)?;
    objects.spend_lines(after)?;
    let line = |text: &&'l [u8]| -> Cow<'l, [u8]> {
        match form {
            Form::Exact => Cow::Borrowed(*text),
            Form::Layout(indentation) => Cow::Owned(normal(text, indentation)),
        }
    };
    let mut interner = Interner::new(before.len() + after.len());
    let before_tokens = before.iter().map(|text| interner.intern(Line { key: line(text), text })).collect();
    let after_tokens = after.iter().map(|text| interner.intern(Line { key: line(text), text })).collect();
    let input = InternedInput { before: before_tokens, after: after_tokens, interner };
    let mut diff = Diff::compute(Algorithm::Myers, &input);
    diff.postprocess_with_heuristic(
        &input,
        IndentHeuristic::new(|token| {
            let line: &Line<'_> = &input.interner[token];
            IndentLevel::for_ascii_line(line.text.iter().copied(), TAB_WIDTH)
        }),
    );
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    Ok(diff.hunks().map(|hunk| Hunk { before: range(hunk.before), after: range(hunk.after) }).collect())
}

/// Finds the line of the text after the change in the text before it.
pub(crate) fn locate(hunks: &[Hunk], line: usize) -> Place {
    let mut place = line;
    for hunk in hunks {
        if hunk.after.contains(&line) {
            return Place::Changed(hunk.clone());
        }
        if hunk.after.start > line {
            break;
        }
        // The line is behind this hunk: its distance from the hunk's end is the same in both texts.
        place = hunk.before.end + (line - hunk.after.end);
    }
    Place::Kept(place)
}

/// Removes the whitespace that a formatter may change: not inside of strings, and not all of it between two words.
pub(crate) fn normal(line: &[u8], indentation: Indentation) -> Vec<u8> {
    let mut flat = Flat::default();
    if indentation == Indentation::Significant {
        flat.bytes.extend(line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')));
    }
    flat.push(line, 0);
    flat.bytes
}

/// Several lines as one text without layout.
#[derive(Default)]
pub(crate) struct Flat {
    pub(crate) bytes: Vec<u8>,
    /// The line of each byte.
    pub(crate) lines: Vec<usize>,
    space: bool,
    line_end: bool,
    depth: usize,
}

impl Flat {
    /// Joins `texts`. Significant indentation is kept outside of brackets.
    pub(crate) fn new(texts: &[&[u8]], indentation: Indentation) -> Self {
        let mut flat = Self::default();
        for (line, text) in texts.iter().enumerate() {
            flat.add(text, line, indentation);
        }
        flat
    }

    /// Appends a line. This appends bytes to the text, and can remove a comma from its end.
    pub(crate) fn add(&mut self, text: &[u8], line: usize, indentation: Indentation) {
        if indentation == Indentation::Significant && self.depth == 0 && !is_blank(text) {
            let indent = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
            self.bytes.push(b'\n');
            self.bytes.extend(indent);
            self.lines.resize(self.bytes.len(), line);
            self.space = false;
        }
        self.push(text, line);
    }

    fn push(&mut self, text: &[u8], line: usize) {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let mut string = false;
        let mut escaped = false;
        for byte in text.iter().copied() {
            if string {
                string = escaped || byte != b'"';
                escaped = !escaped && byte == b'\\';
            } else if byte.is_ascii_whitespace() {
                self.space = true;
                continue;
            } else {
                self.bracket(byte);
                if self.space && is_word(byte) && self.bytes.last().is_some_and(|last| is_word(*last)) {
                    self.bytes.push(b' ');
                }
                string = byte == b'"';
                (self.space, self.line_end) = (false, false);
            }
            self.bytes.push(byte);
            self.lines.resize(self.bytes.len(), line);
        }
        (self.space, self.line_end) = (true, true);
    }

    /// Counts brackets. Formatters add a comma before a closing bracket when they give it a line of its own.
    fn bracket(&mut self, byte: u8) {
        match byte {
            b'(' | b'[' | b'{' => self.depth += 1,
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                if self.line_end && self.bytes.last() == Some(&b',') {
                    self.bytes.pop();
                    self.lines.pop();
                }
            }
            _ => {}
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Counts letters and digits: the content by which a line is recognised.
pub(crate) fn weight(line: &[u8]) -> usize {
    line.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte >= 0x80).count()
}
