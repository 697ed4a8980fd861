//! Whether a text in double quotes is a name or a string.

use sqlparser::tokenizer::Token;

use super::words::{Piece, PieceToken};

/// Decides for each text in double quotes whether it is a name, and makes the others values.
///
/// MySQL reads it as a string unless a mode is set, and SQLite does so if no column has this name. It is shown as a name
/// in three cases: it is next to a period, it follows a keyword that a table follows, or the statement has such a name
/// and no value is expected here.
pub(super) fn resolve(pieces: &mut [Piece]) {
    let mut groups = Groups::default();
    let roles: Vec<Role> = (0..pieces.len()).map(|index| groups.role(pieces, index)).collect();
    let has_names = roles.contains(&Role::Name);
    for (piece, role) in pieces.iter_mut().zip(roles) {
        let PieceToken::DoubleQuoted(text) = &mut piece.token else { continue };
        let is_name = role == Role::Name || has_names && role == Role::Probable;
        let text = std::mem::take(text);
        piece.token = if is_name { PieceToken::Word(text, Some('"')) } else { PieceToken::Value };
    }
}

/// The role of a text in double quotes.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    /// Certainly a name.
    Name,
    /// A name, if the statement uses double quotes for names.
    Probable,
    /// Possibly a value.
    Value,
    /// Not in double quotes.
    Other,
}

/// The kind of a pair of parentheses.
#[derive(Clone, Copy, PartialEq)]
enum Group {
    /// Values or arguments.
    Values,
    /// A subquery, a list of columns, or an expression.
    Other,
}

/// The parentheses that are open.
#[derive(Default)]
struct Groups {
    open: Vec<Group>,
    /// `VALUES` was read, so further groups are rows.
    in_rows: bool,
}

impl Groups {
    fn role(&mut self, pieces: &[Piece], index: usize) -> Role {
        let piece = &pieces[index];
        match &piece.token {
            PieceToken::Symbol(Token::LParen) => {
                let group = self.opened(&pieces[..index]);
                self.open.push(group);
            }
            PieceToken::Symbol(Token::RParen) => {
                self.open.pop();
            }
            PieceToken::Word(_, None) if self.open.is_empty() => {
                self.in_rows = piece.is_any_keyword(&["VALUES", "VALUE"])
            }
            PieceToken::DoubleQuoted(_) => return self.role_of_quoted(pieces, index),
            _ => {}
        }
        Role::Other
    }

    /// Returns the kind of a group from the pieces before its parenthesis.
    fn opened(&self, before: &[Piece]) -> Group {
        let Some(last) = before.last() else { return Group::Other };
        if self.open.is_empty() && self.in_rows || last.is_any_keyword(&["IN", "VALUES"]) {
            return Group::Values;
        }
        let is_argument = last.bare_word().is_some()
            && !last.is_any_keyword(BEFORE_COLUMNS)
            && !is_table(&before[..before.len() - 1]);
        let is_nested = self.open.last() == Some(&Group::Values) && last.bare_word().is_none();
        if is_argument || is_nested { Group::Values } else { Group::Other }
    }

    fn role_of_quoted(&self, pieces: &[Piece], index: usize) -> Role {
        let (before, after) = (&pieces[..index], &pieces[index + 1..]);
        let is_period = |piece: &Piece| piece.is_symbol(&Token::Period);
        let is_qualified = before.last().is_some_and(|piece| is_period(piece) && !pieces[index].is_spaced)
            || after.first().is_some_and(|piece| is_period(piece) && !piece.is_spaced);
        let in_values = self.open.last() == Some(&Group::Values);
        if is_qualified || !in_values && is_table(before) {
            Role::Name
        } else if in_values || is_value_expected(before, after) {
            Role::Value
        } else {
            Role::Probable
        }
    }
}

/// Keywords before a list of columns in parentheses, which is not a list of arguments.
const BEFORE_COLUMNS: &[&str] = &[
    "AND",
    "AS",
    "BY",
    "CHECK",
    "CONFLICT",
    "FROM",
    "INDEX",
    "JOIN",
    "KEY",
    "NOT",
    "ON",
    "OR",
    "OVER",
    "REFERENCES",
    "SELECT",
    "SET",
    "UNIQUE",
    "USING",
    "WHERE",
];

/// Returns whether a table's name follows these pieces.
fn is_table(before: &[Piece]) -> bool {
    let Some((last, before)) = before.split_last() else { return false };
    match last.bare_word() {
        // `IS DISTINCT FROM` compares two values.
        Some(word) if word.eq_ignore_ascii_case("FROM") => {
            !before.last().is_some_and(|piece| piece.is_keyword("DISTINCT"))
        }
        Some(_) if last.is_keyword("EXISTS") => before.last().is_some_and(|piece| piece.is_any_keyword(&["IF", "NOT"])),
        Some(_) => last.is_any_keyword(&["INTO", "JOIN", "TABLE", "UPDATE"]),
        None => false,
    }
}

/// Returns whether a value is expected between these pieces.
fn is_value_expected(before: &[Piece], after: &[Piece]) -> bool {
    let Some(last) = before.last() else { return true };
    match &last.token {
        PieceToken::Symbol(Token::Comma | Token::LParen | Token::SemiColon | Token::Period) => false,
        PieceToken::Symbol(Token::RParen) => false,
        PieceToken::Symbol(_) | PieceToken::Value => true,
        // `BETWEEN "a" AND "b"` or `AND "a" = …`
        PieceToken::Word(..) if last.is_keyword("AND") => !after.first().is_some_and(is_comparison),
        PieceToken::Word(..) => last.is_any_keyword(&[
            "BETWEEN", "CALL", "ELSE", "ESCAPE", "FROM", "GLOB", "ILIKE", "IS", "LIKE", "LIMIT", "MATCH", "OFFSET",
            "REGEXP", "RLIKE", "SIMILAR", "THEN", "TO", "WHEN",
        ]),
        PieceToken::DoubleQuoted(_) => false,
    }
}

fn is_comparison(piece: &Piece) -> bool {
    match &piece.token {
        PieceToken::Symbol(Token::Comma | Token::LParen | Token::RParen | Token::SemiColon) => false,
        PieceToken::Symbol(_) => true,
        _ => piece.is_any_keyword(&["BETWEEN", "GLOB", "ILIKE", "IN", "IS", "LIKE", "NOT", "REGEXP"]),
    }
}
