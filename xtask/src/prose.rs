//! Finds the sentences of a file: in rustdoc, comments, string literals and Markdown.

use crate::Source;
use crate::lexer::{Comment, Literal, lex, test_items};
use crate::markdown::{CODE, blocks, plain, split_sentences};

/// The part of a file that a sentence is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Rustdoc: `///` and `//!`.
    Doc,
    /// A comment: `//` and `/*`.
    Comment,
    /// A string literal outside of tests.
    Literal,
    /// A Markdown file.
    Markdown,
    /// A cell of a table, in rustdoc or Markdown.
    Cell,
}

/// A sentence, or a heading, or a part of a sentence that a cell or a string literal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The path of its file.
    pub path: String,
    /// The line of its first word, from 1.
    pub line: usize,
    /// The part of the file.
    pub part: Part,
    /// The text on one line, without marks of emphasis and with one word for each piece of inline code.
    pub text: String,
}

/// String literals of fewer words are names and formats rather than prose.
const MIN_LITERAL_WORDS: usize = 3;

/// Returns the sentences of a Rust or Markdown file.
#[must_use]
pub fn sentences(source: &Source) -> Vec<Sentence> {
    if source.path.ends_with(".md") {
        return markdown(source, Part::Markdown, 1, &source.text);
    }
    let lexed = lex(&source.text);
    let mut sentences = comments(source, &lexed.comments);
    if !source.is_test() {
        let tests = test_items(&lexed.code);
        let outside = lexed.literals.iter().filter(|literal| !tests.iter().any(|test| test.contains(&literal.offset)));
        sentences.extend(outside.flat_map(|found| literal(source, found)));
    }
    sentences.sort_by_key(|sentence| sentence.line);
    sentences
}

/// Joins the lines of each comment.
fn comments(source: &Source, comments: &[Comment]) -> Vec<Sentence> {
    let is_continued = |a: &Comment, b: &Comment| {
        a.marker == b.marker && a.line + 1 == b.line && !a.is_trailing && !b.is_trailing && a.marker != "/*"
    };
    let groups = comments.chunk_by(is_continued).filter_map(|group| group.first().map(|first| (first, group)));
    groups
        .flat_map(|(first, group)| {
            let part = if first.marker.len() == 3 { Part::Doc } else { Part::Comment };
            let lines: Vec<&str> = group.iter().map(|comment| comment.text.as_str()).collect();
            markdown(source, part, first.line, &lines.join("\n"))
        })
        .collect()
}

fn markdown(source: &Source, part: Part, first_line: usize, text: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for block in blocks(first_line, text) {
        let part = if block.is_cell { Part::Cell } else { part };
        sentences.extend(of_text(source, part, block.line, &plain(&block.text)));
    }
    sentences
}

/// Returns the sentences of a string literal, unless it is data.
fn literal(source: &Source, literal: &Literal) -> Vec<Sentence> {
    let is_data = literal.text.starts_with(['{', '[', '<']) && !literal.text.contains(' ');
    let text = plain(&without_placeholders(&literal.text));
    if is_data || words(&text).len() < MIN_LITERAL_WORDS {
        return Vec::new();
    }
    of_text(source, Part::Literal, literal.line, &text)
}

fn of_text(source: &Source, part: Part, first_line: usize, text: &str) -> Vec<Sentence> {
    let sentences = split_sentences(text).into_iter();
    sentences
        .map(|(lines, text)| Sentence { path: source.path.clone(), line: first_line + lines, part, text })
        .collect()
}

/// Makes each `{…}` of a format string a word.
fn without_placeholders(format: &str) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('}') else {
            return text + &rest[open..];
        };
        text.push_str(CODE);
        text.extend(rest[open..open + close].matches('\n'));
        rest = &rest[open + close + 1..];
    }
    text + rest
}

/// Returns the words of a sentence in small letters, with `,` between words that punctuation separates.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for raw in text.split_whitespace() {
        let word = raw.trim_matches(|c: char| !c.is_alphanumeric() && c != '`');
        if word.is_empty() || raw.starts_with('(') {
            words.push(",".to_owned());
        }
        if !word.is_empty() {
            words.push(word.to_lowercase().replace('’', "'"));
        }
        if !word.is_empty() && raw.ends_with([',', ';', ':', ')', '.', '?', '!']) {
            words.push(",".to_owned());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, Part, String)> {
        let source = Source { path: path.to_owned(), text: text.to_owned() };
        sentences(&source).into_iter().map(|found| (found.line, found.part, found.text)).collect()
    }

    #[test]
    fn wrapped_sentences_are_joined() {
        let text = "//! One\n//! two. Three\n//! four.\n\n/// ```\n/// Code.\n/// ```\nfn f() {} // Why.\n// Five.\n";
        let expected = [
            (1, Part::Doc, "One two.".to_owned()),
            (2, Part::Doc, "Three four.".to_owned()),
            (8, Part::Comment, "Why.".to_owned()),
            (9, Part::Comment, "Five.".to_owned()),
        ];
        assert_eq!(found("a/src/lib.rs", text), expected);
    }

    #[test]
    fn literals_outside_of_tests_are_read() {
        let text = "#[error(\"no file at {path:?}, \\\n  or none\")]\nconst A: &str = \"two words\";\n\
                    #[cfg(test)]\nmod tests { const B: &str = \"one two three\"; }\n";
        assert_eq!(found("a/src/lib.rs", text), [(1, Part::Literal, "no file at `…`, or none".to_owned())]);
        assert!(found("a/tests/it.rs", text).is_empty());
    }

    #[test]
    fn cells_are_texts_of_their_own() {
        let text = "| a b | `c` |\n|---|---|\n\nText.\n";
        let expected = [
            (1, Part::Cell, "a b".to_owned()),
            (1, Part::Cell, CODE.to_owned()),
            (4, Part::Markdown, "Text.".to_owned()),
        ];
        assert_eq!(found("a.md", text), expected);
    }

    #[test]
    fn punctuation_separates_words() {
        assert_eq!(
            words("It is (so) none, Bob’s – `…`."),
            ["it", "is", ",", "so", ",", "none", ",", "bob's", ",", "`…`", ","]
        );
    }
}
