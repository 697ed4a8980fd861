//! A statement without its values.

use std::borrow::Cow;
use std::fmt;

use super::parts::{Kept, Parts};
use super::{cache, quotes, signature, text, words};

/// The signature and the normalised text of an SQL statement.
///
/// Both come from the tokens of the statement. Literals, values of placeholders and comments are not part of them. If
/// the statement cannot be read with certainty, for example because a quote is not closed, the uncertain rest is cut.
///
/// Statements are cached, so a repeated one takes no allocation. At most the first 64 KiB of a statement are read.
///
/// # Examples
///
/// ```
/// use opbeat_instrument::sql::Statement;
///
/// let statement = Statement::of("SELECT title FROM books WHERE author = 'Ada' AND id IN (1, 2, 3)");
/// assert_eq!(statement.signature(), "SELECT FROM books");
/// assert_eq!(statement.text(), "SELECT title FROM books WHERE author = ? AND id IN (?)");
/// ```
#[derive(Clone)]
pub struct Statement(Kept);

impl Statement {
    /// Reads a statement, or finds it in the cache.
    #[must_use]
    pub fn of(sql: &str) -> Self {
        Self(cache::find(sql).unwrap_or_else(|| cache::add(sql, read(sql))))
    }

    /// Returns the operation and the main table, such as `SELECT FROM books`; the first keyword if the statement has no
    /// table, and an empty text if it has no keyword. It has at most 200 bytes.
    #[must_use]
    pub fn signature(&self) -> Cow<'static, str> {
        match &self.0 {
            Kept::Always(parts) => Cow::Borrowed(&parts.signature),
            Kept::Shared(parts) => Cow::Owned(parts.signature.to_string()),
        }
    }

    /// Returns the statement with each value replaced by `?`. It has at most 2 KiB.
    #[must_use]
    pub fn text(&self) -> Cow<'static, str> {
        match &self.0 {
            Kept::Always(parts) => Cow::Borrowed(&parts.text),
            Kept::Shared(parts) => Cow::Owned(parts.text.to_string()),
        }
    }

    /// Returns whether the statement begins or ends a transaction of the database, or sets a savepoint in it.
    #[must_use]
    pub fn controls_transaction(&self) -> bool {
        signature::controls_transaction(&self.parts().signature)
    }

    fn parts(&self) -> &Parts {
        match &self.0 {
            Kept::Always(parts) => parts,
            Kept::Shared(parts) => parts,
        }
    }
}

fn read(sql: &str) -> Parts {
    let mut words = words::read(sql);
    quotes::resolve(&mut words.pieces);
    Parts { signature: signature::of(&words.pieces).into(), text: text::of(&words).into() }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Statement").field(&self.text()).finish()
    }
}
