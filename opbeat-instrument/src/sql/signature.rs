//! The signature of a statement: its operation and its main table.

use sqlparser::tokenizer::Token;

use super::words::Piece;

/// The largest length of a signature in bytes.
const MAX_LENGTH: usize = 200;

/// Returns the operation and the main table of the first statement.
pub(super) fn of(pieces: &[Piece]) -> String {
    let first = pieces.iter().position(|piece| piece.bare_word().is_some());
    let Some(first) = first else { return String::new() };
    let pieces = main_statement(&pieces[first..]);
    let (operation, table) = operation(pieces);
    let mut signature = operation;
    if let Some(table) = table {
        signature.push(' ');
        signature.push_str(&table);
    }
    signature.truncate(signature.floor_char_boundary(MAX_LENGTH));
    signature
}

/// Returns whether a signature is that of a statement that begins or ends a transaction, or sets a savepoint.
pub(super) fn controls_transaction(signature: &str) -> bool {
    let operation = signature.split(' ').next().unwrap_or_default();
    matches!(operation, "BEGIN" | "COMMIT" | "END" | "RELEASE" | "ROLLBACK" | "SAVEPOINT")
        || signature == "START TRANSACTION"
}

/// Skips the common table expressions before a statement: `WITH a AS (…), b AS (…)`.
fn main_statement(pieces: &[Piece]) -> &[Piece] {
    if !pieces[0].is_keyword("WITH") {
        return pieces;
    }
    let is_main =
        |piece: &Piece| piece.is_any_keyword(&["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES"]);
    top_level(pieces).find(|(_, piece)| is_main(piece)).map_or(pieces, |(index, _)| &pieces[index..])
}

/// Returns the pieces outside of all parentheses, until the end of the statement.
fn top_level(pieces: &[Piece]) -> impl Iterator<Item = (usize, &Piece)> {
    let mut depth = 0_usize;
    let is_end = move |(_, piece): &(usize, &Piece)| !piece.is_symbol(&Token::SemiColon);
    pieces.iter().enumerate().take_while(is_end).filter(move |(_, piece)| {
        if piece.is_symbol(&Token::LParen) {
            depth += 1;
        } else if piece.is_symbol(&Token::RParen) {
            depth = depth.saturating_sub(1);
        }
        depth == 0
    })
}

fn operation(pieces: &[Piece]) -> (String, Option<String>) {
    let keyword = pieces[0].bare_word().unwrap_or_default().to_ascii_uppercase();
    match keyword.as_str() {
        "SELECT" => with_table(keyword, "FROM", after_from(pieces)),
        "DELETE" => with_table(keyword, "FROM", after_from(pieces).or(Some(&pieces[1..]))),
        "INSERT" | "REPLACE" | "MERGE" => {
            let into = pieces.iter().position(|piece| piece.is_keyword("INTO"));
            with_table(keyword, "INTO", into.map(|into| &pieces[into + 1..]))
        }
        "UPDATE" => {
            let table =
                skip(&pieces[1..], &["OR", "ROLLBACK", "ABORT", "REPLACE", "FAIL", "IGNORE", "LOW_PRIORITY", "ONLY"]);
            (keyword, name(table))
        }
        "CALL" | "EXEC" | "EXECUTE" | "COPY" | "REFRESH" => {
            (keyword, name(skip(&pieces[1..], &["MATERIALIZED", "VIEW", "CONCURRENTLY"])))
        }
        "TRUNCATE" => (keyword, name(skip(&pieces[1..], &["TABLE", "ONLY"]))),
        "CREATE" | "DROP" | "ALTER" => definition(keyword, &pieces[1..]),
        "START" if pieces.get(1).is_some_and(|piece| piece.is_keyword("TRANSACTION")) => {
            ("START TRANSACTION".into(), None)
        }
        _ => (keyword, None),
    }
}

fn with_table(mut operation: String, preposition: &str, table: Option<&[Piece]>) -> (String, Option<String>) {
    let table = table.and_then(name);
    if table.is_some() {
        operation.push(' ');
        operation.push_str(preposition);
    }
    (operation, table)
}

/// Returns the pieces after the first `FROM` of a statement. In a subquery, they are those after the subquery's `FROM`.
fn after_from(pieces: &[Piece]) -> Option<&[Piece]> {
    let mut rest = pieces;
    loop {
        let is_from = |index: usize, piece: &Piece| {
            // `IS DISTINCT FROM` compares two values.
            piece.is_keyword("FROM") && !(index > 1 && rest[index - 1].is_keyword("DISTINCT"))
        };
        let (from, _) = top_level(rest).find(|&(index, piece)| is_from(index, piece))?;
        let table = &rest[from + 1..];
        let subquery = table.iter().position(|piece| !piece.is_symbol(&Token::LParen))?;
        if !table[subquery].is_keyword("SELECT") {
            return Some(&table[subquery..]);
        }
        rest = &table[subquery..];
    }
}

/// Reads `CREATE UNIQUE INDEX IF NOT EXISTS name`.
fn definition(mut operation: String, pieces: &[Piece]) -> (String, Option<String>) {
    const OBJECTS: &[&str] = &[
        "DATABASE",
        "EXTENSION",
        "FUNCTION",
        "INDEX",
        "PROCEDURE",
        "ROLE",
        "SCHEMA",
        "SEQUENCE",
        "TABLE",
        "TRIGGER",
        "TYPE",
        "USER",
        "VIEW",
    ];
    /// The largest number of words between `CREATE` and the kind of the object.
    const MAX_MODIFIERS: usize = 5;
    let object = pieces.iter().take(MAX_MODIFIERS).position(|piece| piece.is_any_keyword(OBJECTS));
    let Some(object) = object else { return (operation, None) };
    operation.push(' ');
    operation.push_str(&pieces[object].bare_word().unwrap_or_default().to_ascii_uppercase());
    (operation, name(skip(&pieces[object + 1..], &["CONCURRENTLY", "IF", "NOT", "EXISTS", "ONLY"])))
}

fn skip<'a>(pieces: &'a [Piece], keywords: &[&str]) -> &'a [Piece] {
    let first = pieces.iter().position(|piece| !piece.is_any_keyword(keywords)).unwrap_or(pieces.len());
    &pieces[first..]
}

/// Reads a name with its qualifiers, such as `public.books`, without its quotes.
fn name(pieces: &[Piece]) -> Option<String> {
    let pieces = skip(pieces, &["LATERAL", "ONLY"]);
    let mut name = pieces.first()?.word()?.to_owned();
    for pair in pieces[1..].chunks_exact(2) {
        match pair[1].word() {
            Some(part) if pair[0].is_symbol(&Token::Period) => {
                name.push('.');
                name.push_str(part);
            }
            _ => break,
        }
    }
    Some(name)
}
