//! What was left out, and why.

use std::ops::{AddAssign, Sub};

/// What was recorded and could not be delivered, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drops {
    /// Errors: there were too many different ones at once, or the server was away for too long.
    pub errors: u64,
    /// Transactions: the server was away for longer than memory lasts.
    pub transactions: u64,
    /// Span trees of sampled transactions: the server was away for too long.
    pub samples: u64,
    /// Spans: their transaction had more than it may have.
    pub spans: u64,
    /// Bodies that the server refused for good.
    pub refused: u64,
}

impl Drops {
    /// Returns whether nothing was left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns all reasons with their words, as they are sent.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let Self { errors, transactions, samples, spans, refused } = *self;
        [
            ("errors", errors),
            ("transactions", transactions),
            ("samples", samples),
            ("spans", spans),
            ("refused", refused),
        ]
        .into_iter()
    }
}

impl AddAssign for Drops {
    fn add_assign(&mut self, more: Self) {
        self.errors += more.errors;
        self.transactions += more.transactions;
        self.samples += more.samples;
        self.spans += more.spans;
        self.refused += more.refused;
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
            refused: self.refused.saturating_sub(less.refused),
        }
    }
}
