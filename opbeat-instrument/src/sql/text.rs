//! The normalised text of a statement.

use std::fmt::Write;

use sqlparser::tokenizer::Token;

use super::words::{Piece, PieceToken, Words};

/// The largest length of a text in bytes, before the mark of a cut.
const MAX_LENGTH: usize = 2 * 1024 - CUT.len();

/// The mark at the end of a text that was cut.
const CUT: &str = " …";

/// Returns the statement's text: values are `?`, and lists of values have one element.
pub(super) fn of(words: &Words) -> String {
    let mut text = Text { hides_words: hides_words(&words.pieces), ..Text::default() };
    let mut rest = &words.pieces[..];
    while let Some((piece, after)) = rest.split_first() {
        rest = text.add(piece, after);
        if text.out.len() > MAX_LENGTH {
            break;
        }
    }
    let is_cut = words.is_cut || text.out.len() > MAX_LENGTH;
    let mut out = text.out;
    out.truncate(out.floor_char_boundary(MAX_LENGTH));
    if is_cut {
        out.push_str(CUT);
    }
    out
}

/// Returns whether values of the first statement can be words without quotes, as in `SET ROLE = ada` and
/// `PRAGMA key = secret`.
fn hides_words(pieces: &[Piece]) -> bool {
    pieces.first().is_some_and(|piece| piece.is_any_keyword(&["SET", "PRAGMA"]))
}

#[derive(Default)]
struct Text {
    out: String,
    last: Last,
    depth: usize,
    /// Words of this statement after `=`, `TO` or a parenthesis are values.
    hides_words: bool,
    is_hiding: bool,
}

/// The last piece of the text.
#[derive(Default, Clone, Copy, PartialEq)]
enum Last {
    /// An operator, a comma, an open parenthesis or a keyword: a minus sign after it belongs to a value.
    #[default]
    Open,
    Value,
    /// A comma after a value.
    CommaAfterValue,
    In,
    Rows,
    Other,
}

impl Text {
    /// Adds a piece, and returns the pieces that follow it.
    fn add<'a>(&mut self, piece: &Piece, after: &'a [Piece]) -> &'a [Piece] {
        match &piece.token {
            PieceToken::Value => self.add_value(piece),
            PieceToken::Word(..) if self.is_hiding => self.add_value(piece),
            PieceToken::Word(word, quote) => {
                self.add_word(piece, word, *quote);
            }
            PieceToken::DoubleQuoted(_) => self.add_value(piece),
            PieceToken::Symbol(Token::LParen) if self.last == Last::In && !is_subquery(after) => {
                self.space(piece);
                self.out.push_str("(?)");
                self.last = Last::Other;
                return after_group(after);
            }
            PieceToken::Symbol(Token::LParen) if self.last == Last::Rows => {
                // Only the first row is shown.
                self.space(piece);
                self.out.push('(');
                (self.depth, self.last) = (self.depth + 1, Last::Open);
                return self.add_first_row(after);
            }
            PieceToken::Symbol(Token::Minus | Token::Plus)
                if matches!(self.last, Last::Open | Last::CommaAfterValue)
                    && after.first().is_some_and(Piece::is_value) =>
            {
                self.space(piece);
            }
            PieceToken::Symbol(Token::Colon) if after.first().is_some_and(is_parameter) => {
                self.add_value(piece);
                return &after[1..];
            }
            PieceToken::Symbol(symbol) => {
                self.add_symbol(piece, symbol);
                if *symbol == Token::SemiColon {
                    (self.hides_words, self.is_hiding) = (hides_words(after), false);
                }
            }
        }
        after
    }

    fn add_value(&mut self, piece: &Piece) {
        if self.last == Last::CommaAfterValue && self.depth > 0 {
            // `?, ?` becomes `?`.
            self.out.truncate(self.out.trim_end_matches([',', ' ']).len());
        } else if !(self.is_hiding && self.last == Last::Value) {
            self.space(piece);
            self.out.push('?');
        }
        self.last = Last::Value;
    }

    fn add_word(&mut self, piece: &Piece, word: &str, quote: Option<char>) {
        self.space(piece);
        if let Some(quote) = quote {
            self.out.push(quote);
            self.out.push_str(word);
            self.out.push(quote);
            self.last = Last::Other;
            return;
        }
        self.out.push_str(word);
        self.is_hiding |= self.hides_words && piece.is_keyword("TO");
        self.last = if piece.is_keyword("IN") {
            Last::In
        } else if piece.is_any_keyword(&["VALUES", "VALUE"]) {
            Last::Rows
        } else if piece.is_any_keyword(KEYWORDS_BEFORE_VALUES) {
            Last::Open
        } else {
            Last::Other
        };
    }

    fn add_symbol(&mut self, piece: &Piece, symbol: &Token) {
        self.is_hiding |= self.hides_words && matches!(symbol, Token::Eq | Token::Assignment | Token::LParen);
        match symbol {
            Token::LParen | Token::LBracket => self.depth += 1,
            Token::RParen | Token::RBracket => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if !matches!(symbol, Token::RParen | Token::RBracket | Token::Comma | Token::SemiColon) {
            self.space(piece);
        }
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{symbol}");
        self.last = match symbol {
            Token::Comma if self.last == Last::Value => Last::CommaAfterValue,
            Token::RParen | Token::RBracket | Token::Period | Token::DoubleColon => Last::Other,
            _ => Last::Open,
        };
        if *symbol == Token::Comma {
            self.out.push(' ');
        }
    }

    /// Adds the first row of `VALUES (…), (…)` and skips the others.
    fn add_first_row<'a>(&mut self, pieces: &'a [Piece]) -> &'a [Piece] {
        let outer = self.depth - 1;
        let mut rest = pieces;
        while let Some((piece, after)) = rest.split_first() {
            rest = self.add(piece, after);
            if self.depth == outer || self.out.len() > MAX_LENGTH {
                break;
            }
        }
        while let [comma, paren, after @ ..] = rest
            && comma.is_symbol(&Token::Comma)
            && paren.is_symbol(&Token::LParen)
        {
            rest = after_group(after);
        }
        rest
    }

    /// Adds a space if the piece has one before it.
    fn space(&mut self, piece: &Piece) {
        if piece.is_spaced && !self.out.is_empty() && !self.out.ends_with([' ', '(', '[']) {
            self.out.push(' ');
        }
    }
}

/// Keywords after which a minus sign belongs to a value.
const KEYWORDS_BEFORE_VALUES: &[&str] = &["AND", "BETWEEN", "ELSE", "LIMIT", "OFFSET", "OR", "SELECT", "THEN", "WHEN"];

fn is_subquery(pieces: &[Piece]) -> bool {
    pieces.first().is_some_and(|piece| piece.is_any_keyword(&["SELECT", "WITH", "VALUES"]))
}

/// Returns whether this is the name of a parameter, directly after a colon.
fn is_parameter(piece: &Piece) -> bool {
    !piece.is_spaced && piece.bare_word().is_some()
}

/// Returns the pieces after the end of the group in which `pieces` begin.
fn after_group(pieces: &[Piece]) -> &[Piece] {
    let mut depth = 1_usize;
    let is_end = |piece: &Piece| {
        if piece.is_symbol(&Token::LParen) {
            depth += 1;
        } else if piece.is_symbol(&Token::RParen) {
            depth -= 1;
        }
        depth == 0
    };
    let end = pieces.iter().position(is_end).map_or(pieces.len(), |end| end + 1);
    &pieces[end..]
}
