//! Counts of dropped data.

use std::fmt;
use std::ops::{AddAssign, Sub};

/// The amounts of data that were recorded and then dropped, by kind.
///
/// Its `Display` form is a list such as `1 transaction, 7 spans`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// Errors: too many different ones came at once, the server was unreachable for too long, or it rejected them.
    pub errors: u64,
    /// Transactions: the server was unreachable until the memory for undelivered data was full, or it rejected them, or they
    /// were still open when the agent was shut down.
    pub transactions: u64,
    /// Span trees of sampled transactions: the server was unreachable for too long, or it rejected them.
    pub samples: u64,
    /// Spans: their transaction had more than 500.
    pub spans: u64,
    /// Bodies that the server rejected for good. Their contents are counted by kind as well.
    pub rejected: u64,
}

impl Drops {
    /// Returns whether nothing was dropped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns all kinds of drops with their counts, named as in the wire format.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let Self { errors, transactions, samples, spans, rejected } = *self;
        [
            ("errors", errors),
            ("transactions", transactions),
            ("samples", samples),
            ("spans", spans),
            ("rejected", rejected),
        ]
        .into_iter()
    }
}

impl fmt::Display for Drops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (what, count) in self.reasons().filter(|(_, count)| *count > 0) {
            let words = match (what, count) {
                ("rejected", 1) => "rejected body",
                ("rejected", _) => "rejected bodies",
                (what, 1) => what.trim_end_matches('s'),
                (what, _) => what,
            };
            write!(f, "{separator}{count} {words}")?;
            separator = ", ";
        }
        if separator.is_empty() { f.write_str("nothing") } else { Ok(()) }
    }
}

impl AddAssign for Drops {
    fn add_assign(&mut self, more: Self) {
        self.errors += more.errors;
        self.transactions += more.transactions;
        self.samples += more.samples;
        self.spans += more.spans;
        self.rejected += more.rejected;
    }
}

impl Sub for Drops {
    type Output = Self;

    fn sub(self, less: Self) -> Self {
        Self {
            errors: self.errors.saturating_sub(less.errors),
            transactions: self.transactions.saturating_sub(less.transactions),
            samples: self.samples.saturating_sub(less.samples),
            spans: self.spans.saturating_sub(less.spans),
            rejected: self.rejected.saturating_sub(less.rejected),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_are_shown_as_a_list() {
        let drops = Drops { transactions: 1, spans: 7, rejected: 1, ..Drops::default() };
        assert_eq!(drops.to_string(), "1 transaction, 7 spans, 1 rejected body");
        assert_eq!(Drops { rejected: 2, errors: 1, ..Drops::default() }.to_string(), "1 error, 2 rejected bodies");
        assert_eq!(Drops::default().to_string(), "nothing");
    }
}
