//! Secrets that words announce, without an operator: SQL statements about users, rows of `INSERT`, and messages.

use super::name::{Name, has_part};
use super::not_secret::is_placeholder;

/// The distance, in bytes, in which the start of a phrase is searched.
const NEAR: usize = 256;

/// The starts of SQL statements that set the password of a user.
const ABOUT_USERS: [&str; 6] = ["create user", "alter user", "replace user", "grant ", "create role", "database link"];

/// Returns whether the text ends with words that announce a password in quotes.
///
/// In source code only SQL announces one: other words belong to a message, whose quotes may surround code.
pub(super) fn announces(before: &str, is_source: bool) -> bool {
    let is_apart = before.ends_with(' ');
    let before = before.strip_suffix(' ').unwrap_or(before);
    if let Some(statement) = before.strip_suffix('=') {
        return has_part(near_end(statement), "set password for ");
    }
    if !is_apart {
        return false;
    }
    let last = Name::before(before);
    if last.is_quoted {
        return false;
    }
    if ["by", "as", "using"].iter().any(|word| last.text.eq_ignore_ascii_case(word)) {
        let near = near_end(before);
        return has_part(near, "identified") && ABOUT_USERS.iter().any(|statement| has_part(near, statement));
    }
    let is_sql = !last.text.bytes().any(|byte| byte.is_ascii_lowercase());
    (is_sql || !is_source)
        && ["password", "passphrase", "passwd"].iter().any(|word| last.text.eq_ignore_ascii_case(word))
}

/// Returns whether the text stands for a value: `%s`, `{}`, `${password}`, `#{password}`.
pub(super) fn is_template(content: &str) -> bool {
    is_placeholder(content) || ["{", "${", "#{", "<", "%"].iter().any(|start| content.starts_with(start))
}

/// Returns whether the bracket opens the first or a later row of an `INSERT` with a secret column.
///
/// `row_end` is the end of the row before.
pub(super) fn opens_row(text: &str, open: usize, row_end: usize, is_secret: impl Fn(&str) -> bool) -> bool {
    if text.as_bytes()[open] != b'(' {
        return false;
    }
    let before = text[..open].trim_end();
    let is_next = row_end > 0
        && before
            .strip_suffix(',')
            .and_then(|row| row.trim_end().strip_suffix(')'))
            .is_some_and(|row| row.len() == row_end);
    let is_first = || {
        let values = before.len().checked_sub("values".len()).filter(|start| before.is_char_boundary(*start))?;
        let is_values = before[values..].eq_ignore_ascii_case("values");
        let columns = near_end(before[..values].trim_end().strip_suffix(')').filter(|_| is_values)?);
        let columns = &columns[columns.rfind('(')? + 1..];
        columns.split(',').any(|column| is_secret(column.trim())).then_some(())
    };
    is_next || is_first().is_some()
}

/// Returns whether a row contains a value that is not only a placeholder.
pub(super) fn has_value(row: &str) -> bool {
    let is_other = |item: &str| {
        is_placeholder(item)
            || item.is_empty()
            || ["null", "default"].iter().any(|word| item.eq_ignore_ascii_case(word))
    };
    row.split(',').any(|item| !is_other(item.trim()))
}

fn near_end(text: &str) -> &str {
    &text[text.floor_char_boundary(text.len().saturating_sub(NEAR))..]
}
