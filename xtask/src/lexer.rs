//! Splits Rust source into comments, string literals and code.

use std::ops::Range;

/// A Rust file in three parts.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    /// The comments, in order.
    pub(crate) comments: Vec<Comment>,
    /// The string literals, in order. Byte strings are left out.
    pub(crate) literals: Vec<Literal>,
    /// The source with spaces instead of comments and of the contents of literals. Lines and offsets are unchanged.
    pub(crate) code: String,
}

/// A comment, or one line of a longer one.
#[derive(Debug)]
pub(crate) struct Comment {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The characters that open it: `//`, `///`, `//!` or `/*`.
    pub(crate) marker: &'static str,
    /// The text after the marker, which may have several lines after `/*`.
    pub(crate) text: String,
    /// Whether code is before it on the same line.
    pub(crate) is_trailing: bool,
}

/// A string literal.
#[derive(Debug)]
pub(crate) struct Literal {
    /// The line of its first character, from 1.
    pub(crate) line: usize,
    /// The offset of its first character.
    pub(crate) offset: usize,
    /// The contents. Escaped line feeds and tabs are spaces; real line feeds are kept.
    pub(crate) text: String,
}

/// Splits a Rust file.
pub(crate) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { text, at: 0, line: 1, lexed: Lexed::default() };
    while let Some(c) = lexer.rest().chars().next() {
        lexer.step(c);
    }
    lexer.lexed
}

/// Returns the parts of code that only tests compile: the items after `#[cfg(test)]`.
pub(crate) fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for attribute in ["#[cfg(test)]", "#[cfg(all(test"] {
        for (start, _) in code.match_indices(attribute) {
            items.push(start..item_end(code, start));
        }
    }
    items
}

/// Returns the offset after the item that begins at `start`: after its braces, or after its semicolon.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code[start..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                if c == '}' && depth == 0 {
                    return start + offset + 1;
                }
            }
            ';' if depth == 0 => return start + offset + 1,
            _ => {}
        }
    }
    code.len()
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    lexed: Lexed,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn step(&mut self, c: char) {
        match c {
            '/' if self.rest().starts_with("//") => self.line_comment(),
            '/' if self.rest().starts_with("/*") => self.block_comment(),
            '"' => self.string(),
            'r' => match raw_hashes(self.rest()) {
                Some(hashes) if self.is_literal_start() => self.raw_string(hashes),
                _ => self.keep(1),
            },
            '\'' => self.char_or_lifetime(),
            c => self.keep(c.len_utf8()),
        }
    }

    /// Takes `length` bytes as code.
    fn keep(&mut self, length: usize) {
        let taken = &self.rest()[..length];
        self.lexed.code.push_str(taken);
        self.advance(taken);
    }

    /// Takes `length` bytes as anything but code.
    fn blank(&mut self, length: usize) {
        let taken = &self.rest()[..length];
        self.lexed.code.extend(taken.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        self.advance(taken);
    }

    fn advance(&mut self, taken: &str) {
        self.at += taken.len();
        self.line += taken.matches('\n').count();
    }

    fn line_comment(&mut self) {
        let rest = self.rest();
        let end = rest.find('\n').unwrap_or(rest.len());
        let marker = match &rest[..end] {
            // Four slashes open a plain comment.
            line if line.starts_with("////") => "//",
            line if line.starts_with("///") => "///",
            line if line.starts_with("//!") => "//!",
            _ => "//",
        };
        self.comment(marker, &rest[marker.len()..end]);
        self.blank(end);
    }

    fn block_comment(&mut self) {
        let rest = self.rest();
        let mut depth = 1_usize;
        let mut end = 2;
        while depth > 0 && end < rest.len() {
            let (step, change) = match &rest.as_bytes()[end..] {
                [b'*', b'/', ..] => (2, -1),
                [b'/', b'*', ..] => (2, 1),
                _ => (1, 0),
            };
            end += step;
            depth = depth.saturating_add_signed(change);
        }
        let text = rest[2..end].trim_end_matches("*/");
        self.comment("/*", text);
        self.blank(end);
    }

    fn comment(&mut self, marker: &'static str, text: &str) {
        let line_start = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let is_trailing = !self.text[line_start..self.at].trim().is_empty();
        self.lexed.comments.push(Comment { line: self.line, marker, text: text.to_owned(), is_trailing });
    }

    fn string(&mut self) {
        let rest = self.rest();
        let mut end = 1;
        while end < rest.len() && rest.as_bytes()[end] != b'"' {
            end += if rest.as_bytes()[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(rest.len());
        let is_bytes = self.text[..self.at].ends_with('b');
        self.literal(unescaped(&rest[1..end]), end, 1, is_bytes);
    }

    fn raw_string(&mut self, hashes: usize) {
        let rest = self.rest();
        let start = hashes + 2;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = rest[start..].find(&close).map_or(rest.len(), |found| start + found);
        let is_bytes = self.text[..self.at].ends_with('b');
        self.keep(start - 1);
        self.literal(rest[start..end].to_owned(), end + 1 - start, hashes + 1, is_bytes);
    }

    /// Takes a literal from its opening quote: `length` bytes up to the closing quote, and `closing` bytes of that.
    fn literal(&mut self, text: String, length: usize, closing: usize, is_bytes: bool) {
        if !is_bytes {
            self.lexed.literals.push(Literal { line: self.line, offset: self.at, text });
        }
        self.keep(1);
        self.blank(length - 1);
        self.keep(closing.min(self.rest().len()));
    }

    fn char_or_lifetime(&mut self) {
        let rest = self.rest();
        let mut chars = rest.char_indices().skip(1);
        let length = match (chars.next(), chars.next()) {
            (Some((_, '\\')), Some((escaped, _))) => {
                rest[escaped + 1..].find('\'').map_or(rest.len(), |close| escaped + 1 + close + 1)
            }
            (Some(_), Some((close, '\''))) => close + 1,
            _ => return self.keep(1),
        };
        self.blank(length);
    }

    /// Returns whether the `r` at this position is no part of a longer word; `br` and `cr` open literals too.
    fn is_literal_start(&self) -> bool {
        let before = &self.text[..self.at];
        let before = before.strip_suffix(['b', 'c']).unwrap_or(before);
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// Returns the number of `#` between the `r` and the quote of a raw string.
fn raw_hashes(rest: &str) -> Option<usize> {
    let after = rest[1..].trim_start_matches('#');
    after.starts_with('"').then(|| rest.len() - 1 - after.len())
}

fn unescaped(contents: &str) -> String {
    let mut text = String::new();
    let mut chars = contents.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('"') => text.push('"'),
            Some('\'') => text.push('\''),
            Some('\\') => text.push('\\'),
            Some('\n') => text.push('\n'),
            _ => text.push(' '),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_leave_the_code() {
        let lexed = lex("/// Doc.\nfn f<'a>() -> &'a str { \"a // b\" } // why\n");
        assert_eq!(lexed.code, "        \nfn f<'a>() -> &'a str { \"      \" }       \n");
        assert_eq!(lexed.literals[0].text, "a // b");
        let markers: Vec<_> = lexed.comments.iter().map(|c| (c.line, c.marker, c.is_trailing)).collect();
        assert_eq!(markers, [(1, "///", false), (2, "//", true)]);
    }

    #[test]
    fn quotes_in_characters_and_raw_strings_open_nothing() {
        let lexed = lex("let a = ('\"', '\\'', r#\"one \"two\"\"#, b\"bytes\", \"end\");");
        let texts: Vec<&str> = lexed.literals.iter().map(|literal| literal.text.as_str()).collect();
        assert_eq!(texts, ["one \"two\"", "end"]);
        assert!(lexed.code.ends_with("\"   \");"), "{}", lexed.code);
    }

    #[test]
    fn block_comments_nest() {
        let lexed = lex("a /* b /* c */ d */ e");
        assert_eq!(lexed.code, "a                   e");
        assert_eq!(lexed.comments[0].text.trim(), "b /* c */ d");
    }

    #[test]
    fn a_test_item_ends_with_its_braces_or_its_semicolon() {
        let code = "a; #[cfg(test)] mod x { fn f() {} } b; #[cfg(test)] mod y; c";
        let parts: Vec<&str> = test_items(code).into_iter().map(|range| &code[range]).collect();
        assert_eq!(parts, ["#[cfg(test)] mod x { fn f() {} }", "#[cfg(test)] mod y;"]);
    }
}
