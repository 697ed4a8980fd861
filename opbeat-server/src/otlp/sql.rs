//! Summaries of queries: their operation and their table.

use crate::text::start_of;

/// The largest number of words that are read.
const MAX_WORDS: usize = 200;

/// The maximum length of a name in a summary, in characters.
const MAX_NAME: usize = 100;

/// Returns the operation and the table of a query, such as `SELECT FROM books`. Returns the first word of other
/// commands, such as `GET`, and `None` if there is no word.
pub(super) fn summary(query: &str) -> Option<String> {
    let mut words = words(query);
    let first = words.next()?;
    let verb = start_of(first, MAX_NAME).to_ascii_uppercase();
    // The table of a query within the query comes after the next keyword.
    let mut after = |keyword: &str| {
        std::iter::from_fn(|| words.by_ref().skip_while(|word| !word.eq_ignore_ascii_case(keyword)).nth(1))
            .find(|word| !word.eq_ignore_ascii_case("select"))
    };
    let (verb, table) = match verb.as_str() {
        "SELECT" => ("SELECT FROM", after("from")),
        "DELETE" => ("DELETE FROM", after("from")),
        "INSERT" => ("INSERT INTO", after("into")),
        "REPLACE" => ("REPLACE INTO", after("into")),
        "WITH" => return Some(after_with(query).unwrap_or_else(|| "WITH".to_owned())),
        "UPDATE" => ("UPDATE", words.find(|word| !word.eq_ignore_ascii_case("only"))),
        "CREATE" | "DROP" | "ALTER" | "TRUNCATE" => {
            let object = start_of(words.next().unwrap_or_default(), MAX_NAME).to_ascii_uppercase();
            return Some(format!("{verb} {object}").trim_end().to_owned());
        }
        _ => return Some(verb),
    };
    let table = table.map(bare).filter(|table| !table.is_empty());
    let verb = if table.is_none() { verb.split(' ').next().unwrap_or(verb) } else { verb };
    Some(table.map_or_else(|| verb.to_owned(), |table| format!("{verb} {table}")))
}

/// Returns the summary of the statement that follows common table expressions in parentheses.
fn after_with(query: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut is_outside = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    let outside: String = query.chars().map(|c| if is_outside(c) { c } else { ' ' }).collect();
    let is_verb =
        |word: &&str| ["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| word.eq_ignore_ascii_case(verb));
    let statement: Vec<&str> = words(&outside).skip_while(|word| !is_verb(word)).collect();
    if statement.is_empty() { None } else { summary(&statement.join(" ")) }
}

/// Returns the words of a query without comments. Parentheses and commas separate words.
fn words(query: &str) -> impl Iterator<Item = &str> {
    let mut rest = query;
    let words = std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';'));
            if let Some(comment) = rest.strip_prefix("--") {
                rest = comment.split_once('\n').map_or("", |(_, rest)| rest);
            } else if let Some(comment) = rest.strip_prefix("/*") {
                rest = comment.split_once("*/").map_or("", |(_, rest)| rest);
            } else {
                break;
            }
        }
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';')).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word).filter(|word| !word.is_empty())
    });
    words.take(MAX_WORDS)
}

/// Returns a table's name without quotes. Values and placeholders are no names.
fn bare(table: &str) -> String {
    let bare: String =
        start_of(table, MAX_NAME).chars().filter(|c| !matches!(c, '"' | '`' | '[' | ']' | '\'')).collect();
    let is_name = bare.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '#' | '@'));
    if is_name { bare } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_summarised() {
        let cases = [
            ("select a, b from books where id = 1", "SELECT FROM books"),
            ("SELECT count(*) FROM \"shop\".\"books\" b JOIN authors", "SELECT FROM shop.books"),
            ("-- by id\nSELECT /* hint */ * FROM (SELECT * FROM inner_books) x", "SELECT FROM inner_books"),
            ("INSERT INTO `books` (title) VALUES ('from there')", "INSERT INTO books"),
            ("UPDATE ONLY books SET title = 'x'", "UPDATE books"),
            ("DELETE FROM books", "DELETE FROM books"),
            ("WITH recent AS (SELECT * FROM logs) SELECT * FROM recent", "SELECT FROM recent"),
            ("CREATE TABLE books (id int)", "CREATE TABLE"),
            ("SELECT 1", "SELECT"),
            ("SELECT * FROM 'x; -- secret", "SELECT FROM x"),
            ("GET user:1", "GET"),
            ("commit", "COMMIT"),
        ];
        for (query, expected) in cases {
            assert_eq!(summary(query).as_deref(), Some(expected), "{query}");
        }
        assert_eq!(summary("  -- nothing"), None);
        let object = "t".repeat(5_000);
        assert_eq!(summary(&format!("CREATE {object}")), Some(format!("CREATE {}", "T".repeat(MAX_NAME))));
    }
}
