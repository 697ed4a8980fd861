//! The tokens of a statement, without its values and comments.

use std::any::TypeId;
use std::borrow::Cow;

use sqlparser::dialect::{Dialect, GenericDialect};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

/// At most this many bytes of a statement are read.
const MAX_READ: usize = 64 * 1024;

/// The pieces of a statement that can be read with certainty.
pub(super) struct Words {
    pub(super) pieces: Vec<Piece>,
    /// A rest was cut.
    pub(super) is_cut: bool,
}

/// A token without a value.
pub(super) struct Piece {
    pub(super) token: PieceToken,
    /// White space or a comment stands before it.
    pub(super) is_spaced: bool,
}

pub(super) enum PieceToken {
    /// A keyword or a name, with its quote if it has one.
    Word(String, Option<char>),
    /// A text in double quotes: a name for most databases, a string for MySQL.
    DoubleQuoted(String),
    /// A literal or a placeholder.
    Value,
    Symbol(Token),
}

impl Piece {
    /// Returns whether this is the given keyword, in any case and without quotes.
    pub(super) fn is_keyword(&self, keyword: &str) -> bool {
        self.bare_word().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn is_any_keyword(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is_keyword(keyword))
    }

    /// Returns a word without quotes: a keyword or a name.
    pub(super) fn bare_word(&self) -> Option<&str> {
        if let PieceToken::Word(word, None) = &self.token { Some(word) } else { None }
    }

    /// Returns a word with or without quotes.
    pub(super) fn word(&self) -> Option<&str> {
        if let PieceToken::Word(word, _) = &self.token { Some(word) } else { None }
    }

    pub(super) fn is_symbol(&self, symbol: &Token) -> bool {
        matches!(&self.token, PieceToken::Symbol(token) if token == symbol)
    }

    pub(super) fn is_value(&self) -> bool {
        matches!(self.token, PieceToken::Value)
    }
}

/// Reads the tokens of a statement in an unknown dialect.
///
/// Databases disagree about where some strings and comments end: `'\'` is a complete string for PostgreSQL and the
/// beginning of one for MySQL. After such a token it is unknown what is a literal, so the rest is cut.
pub(super) fn read(sql: &str) -> Words {
    let sql = without_uuids(&sql[..sql.floor_char_boundary(MAX_READ)]);
    let mut tokens = Vec::new();
    let failed =
        Tokenizer::new(&AnyDialect, &sql).with_unescape(false).tokenize_with_location_into_buf(&mut tokens).is_err();
    let mut reading = Reading::default();
    let is_cut = tokens.into_iter().any(|token| reading.add(token).is_none());
    let Reading { mut pieces, first_string, .. } = reading;
    // If quotes do not pair up, it is unknown where the mistake is, and strings may have been read as names.
    let rest = first_string.filter(|_| failed);
    if let Some(first_string) = rest {
        pieces.truncate(first_string);
    }
    Words { pieces, is_cut: is_cut || failed }
}

/// The length of a UUID in its usual notation.
const UUID_LENGTH: usize = 36;

/// Replaces each UUID by a number. CQL has UUIDs without quotes, and their letters would be read as names.
fn without_uuids(sql: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    for (hyphen, _) in sql.match_indices('-') {
        let start = hyphen.checked_sub(8).filter(|&start| start >= copied && is_uuid(sql.as_bytes(), start));
        let Some(start) = start else { continue };
        out.push_str(&sql[copied..start]);
        out.push('0');
        copied = start + UUID_LENGTH;
    }
    if copied == 0 {
        return sql.into();
    }
    out.push_str(&sql[copied..]);
    out.into()
}

/// Returns whether a UUID begins at `start` and is no part of a longer word.
fn is_uuid(sql: &[u8], start: usize) -> bool {
    let end = start + UUID_LENGTH;
    let Some(text) = sql.get(start..end) else { return false };
    let is_expected = |(index, byte): (usize, &u8)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let is_in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let before = start.checked_sub(1).and_then(|before| sql.get(before));
    text.iter().enumerate().all(is_expected) && ![before, sql.get(end)].into_iter().flatten().any(is_in_word)
}

#[derive(Default)]
struct Reading {
    pieces: Vec<Piece>,
    is_spaced: bool,
    before: Before,
    first_string: Option<usize>,
}

/// The kind of the token before: of a string even if white space follows it.
#[derive(Default, PartialEq)]
enum Before {
    #[default]
    Other,
    Number,
    DoubleQuoted,
    String,
}

impl Reading {
    /// Adds a token; `None` if the rest of the statement is uncertain.
    fn add(&mut self, token: TokenWithSpan) -> Option<()> {
        let before = std::mem::take(&mut self.before);
        match token.token {
            Token::Whitespace(space) => {
                self.is_spaced = true;
                self.before = if before == Before::String { before } else { Before::Other };
                return is_certain_comment(&space).then_some(());
            }
            Token::Word(word) if word.quote_style == Some('"') => {
                let is_certain = is_certain_string(&word.value, '"');
                self.first_string.get_or_insert(self.pieces.len());
                self.push(PieceToken::DoubleQuoted(word.value));
                self.before = Before::DoubleQuoted;
                return is_certain.then_some(());
            }
            Token::Word(word) => match before {
                // The rest of a number in a notation that the tokenizer does not know, such as `1_000`.
                Before::Number => {}
                Before::DoubleQuoted => return None,
                // As in `'O'Brien'` and `'O' Brien'`, in which a quote was not escaped.
                Before::String if !self.is_spaced || !may_follow_string(&word.value) => return None,
                _ => self.push(PieceToken::Word(word.value, word.quote_style)),
            },
            Token::Number(..) | Token::Placeholder(_) => {
                self.push(PieceToken::Value);
                self.before = Before::Number;
            }
            Token::EOF => {}
            Token::Sharp | Token::DoubleSharp | Token::Backslash | Token::Char(_) | Token::CopyData { .. } => {
                return None;
            }
            Token::CustomBinaryOperator(operator) if operator.contains('#') => return None,
            token => match string(&token) {
                Some(text) => {
                    let is_certain = is_certain_string(text, '\'');
                    self.first_string.get_or_insert(self.pieces.len());
                    self.push(PieceToken::Value);
                    self.before = Before::String;
                    return is_certain.then_some(());
                }
                None => self.push(PieceToken::Symbol(token)),
            },
        }
        Some(())
    }

    fn push(&mut self, token: PieceToken) {
        let is_spaced = std::mem::take(&mut self.is_spaced);
        self.pieces.push(Piece { token, is_spaced });
    }
}

/// Returns whether a keyword can follow a string. Other words do so only if a quote in the string was not escaped.
fn may_follow_string(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "AND",
        "AS",
        "ASC",
        "CHECK",
        "COLLATE",
        "COMMENT",
        "CROSS",
        "DAY",
        "DEFAULT",
        "DESC",
        "ELSE",
        "END",
        "ESCAPE",
        "EXCEPT",
        "FOR",
        "FROM",
        "GROUP",
        "HAVING",
        "HOUR",
        "ILIKE",
        "IN",
        "INNER",
        "INTERSECT",
        "INTO",
        "IS",
        "JOIN",
        "LEFT",
        "LIKE",
        "LIMIT",
        "MINUTE",
        "MONTH",
        "NOT",
        "NULL",
        "OFFSET",
        "ON",
        "OR",
        "ORDER",
        "PRIMARY",
        "RETURNING",
        "SECOND",
        "SEPARATOR",
        "THEN",
        "TO",
        "UNION",
        "UNIQUE",
        "USING",
        "WHEN",
        "WHERE",
        "WITH",
        "YEAR",
    ];
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// Returns the text between the quotes of a string literal.
fn string(token: &Token) -> Option<&str> {
    match token {
        Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::TripleSingleQuotedString(text)
        | Token::TripleDoubleQuotedString(text)
        | Token::SingleQuotedByteStringLiteral(text)
        | Token::DoubleQuotedByteStringLiteral(text)
        | Token::TripleSingleQuotedByteStringLiteral(text)
        | Token::TripleDoubleQuotedByteStringLiteral(text)
        | Token::SingleQuotedRawStringLiteral(text)
        | Token::DoubleQuotedRawStringLiteral(text)
        | Token::TripleSingleQuotedRawStringLiteral(text)
        | Token::TripleDoubleQuotedRawStringLiteral(text)
        | Token::NationalStringLiteral(text)
        | Token::HexStringLiteral(text) => Some(text),
        // All databases that have these literals agree about their end.
        Token::DollarQuotedString(_)
        | Token::QuoteDelimitedStringLiteral(_)
        | Token::NationalQuoteDelimitedStringLiteral(_)
        | Token::EscapedStringLiteral(_)
        | Token::UnicodeStringLiteral(_) => Some(""),
        _ => None,
    }
}

/// Returns whether a string has the same end with and without escapes by backslash: no quote in it, nor its end, follows
/// an odd number of backslashes.
fn is_certain_string(text: &str, quote: char) -> bool {
    let mut is_escaped = false;
    for char in text.chars() {
        if is_escaped && char == quote {
            return false;
        }
        is_escaped = char == '\\' && !is_escaped;
    }
    !is_escaped
}

/// Returns whether a comment has the same end in all databases, and contains no quote that could be outside of it.
fn is_certain_comment(space: &Whitespace) -> bool {
    match space {
        Whitespace::SingleLineComment { comment, .. } => !comment.contains(['\'', '"', '`', '\r']),
        Whitespace::MultiLineComment(comment) => !comment.contains("/*"),
        _ => true,
    }
}

/// A dialect that reads the notations of all databases.
#[derive(Debug)]
struct AnyDialect;

impl Dialect for AnyDialect {
    /// Makes the tokenizer treat it as the generic dialect where it asks for the type.
    fn dialect(&self) -> TypeId {
        TypeId::of::<GenericDialect>()
    }

    fn is_delimited_identifier_start(&self, char: char) -> bool {
        matches!(char, '"' | '`')
    }

    fn is_identifier_start(&self, char: char) -> bool {
        char.is_alphabetic() || matches!(char, '_' | '@')
    }

    fn is_identifier_part(&self, char: char) -> bool {
        char.is_alphanumeric() || matches!(char, '_' | '@' | '$')
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_string_escape_constant(&self) -> bool {
        true
    }

    fn supports_national_string_literal(&self) -> bool {
        true
    }

    fn supports_copy_from_stdin_data(&self) -> bool {
        true
    }
}
