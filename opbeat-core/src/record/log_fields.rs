//! The ids that a log line shows.

use std::fmt;

use super::TransactionId;

/// The ids of a transaction and of its trace, as fields of a log line.
///
/// Its `Display` form is `transaction=<32 hex digits> trace=<32 hex digits>`. Outside of a transaction, it is empty.
///
/// # Examples
///
/// ```
/// let line = format!("[INFO shop] a book was sold {}", opbeat_core::current().log_fields());
/// assert_eq!(line, "[INFO shop] a book was sold ");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogFields {
    pub(crate) ids: Option<(TransactionId, u128)>,
}

impl LogFields {
    /// Returns the names and the values of the fields, for loggers with fields of their own.
    ///
    /// # Examples
    ///
    /// ```
    /// for (name, value) in opbeat_core::current().log_fields().pairs() {
    ///     println!("{name}={value}");
    /// }
    /// ```
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> {
        let pairs = self.ids.map(|(id, trace)| [("transaction", id.to_string()), ("trace", format!("{trace:032x}"))]);
        pairs.into_iter().flatten()
    }

    /// Returns whether the line is logged outside of a transaction.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_none()
    }
}

impl fmt::Display for LogFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ids {
            Some((id, trace)) => write!(f, "transaction={id} trace={trace:032x}"),
            None => Ok(()),
        }
    }
}
