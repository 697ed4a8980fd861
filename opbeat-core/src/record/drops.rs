//! What was left out, and why.

use std::fmt;
use std::ops::{AddAssign, Sub};

/// What was recorded and could not be delivered, by what it was.
///
/// Its `Display` form is a list such as `1 transaction, 7 spans`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// Errors: there were too many different ones at once, the server was away for too long, or it rejected them.
    pub errors: u64,
    /// Transactions: the server was away for longer than memory lasts, or it rejected them.
    pub transactions: u64,
    /// Span trees of sampled transactions: the server was away for too long, or it rejected them.
    pub samples: u64,
    /// Spans: their transaction had more than it may have.
    pub spans: u64,
    /// Bodies that the server rejected for good. What they held is counted by what it was.
    pub rejected: u64,
}

impl Drops {
    /// Returns whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns all reasons with their words, as they are sent.
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
    fn what_was_left_out_reads_well_aloud() {
        let drops = Drops { transactions: 1, spans: 7, rejected: 1, ..Drops::default() };
        assert_eq!(drops.to_string(), "1 transaction, 7 spans, 1 rejected body");
        assert_eq!(Drops { rejected: 2, errors: 1, ..Drops::default() }.to_string(), "1 error, 2 rejected bodies");
        assert_eq!(Drops::default().to_string(), "nothing");
    }
}
