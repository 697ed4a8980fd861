//! Counts of verdicts.

use std::fmt;
use std::ops::AddAssign;

use opbeat_judgement::{Look, Verdict};

/// The truth about a name and a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Unchanged,
    /// Only the mix of requests changed.
    Mix,
    Slow,
}

const TRUTHS: [Truth; 3] = [Truth::Unchanged, Truth::Mix, Truth::Slow];

/// Pairs of name and release, by truth, and those that were reported as slower at any look so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    pairs: [usize; 3],
    reported: [[usize; 4]; 3],
}

impl Rates {
    pub(crate) fn add(&mut self, truth: Truth, verdicts: &[Verdict; 4]) {
        self.pairs[truth as usize] += 1;
        let mut is_reported = false;
        for (verdict, reported) in verdicts.iter().zip(&mut self.reported[truth as usize]) {
            is_reported |= verdict.is_slower();
            *reported += usize::from(is_reported);
        }
    }

    /// Returns the share of pairs that were reported at a look or an earlier one. It is 0 without pairs.
    pub(crate) fn share_reported(&self, truth: Truth, look: Look) -> f64 {
        self.reported[truth as usize][look as usize] as f64 / self.pairs[truth as usize].max(1) as f64
    }

    /// Returns whether a share, in a sample of this size, is at least as large as expected: two standard errors are chance.
    pub(crate) fn is_found(&self, truth: Truth, look: Look, expected: f64) -> bool {
        self.share_reported(truth, look) >= expected - 2.0 * self.chance(truth, expected)
    }

    /// Returns whether a share, in a sample of this size, is at most as large as expected.
    pub(crate) fn is_rare(&self, truth: Truth, look: Look, expected: f64) -> bool {
        self.share_reported(truth, look) <= expected + 2.0 * self.chance(truth, expected)
    }

    /// Returns the standard error of a share.
    fn chance(&self, truth: Truth, share: f64) -> f64 {
        (share * (1.0 - share) / self.pairs[truth as usize].max(1) as f64).sqrt()
    }
}

impl AddAssign for Rates {
    fn add_assign(&mut self, other: Self) {
        for truth in TRUTHS.map(|truth| truth as usize) {
            self.pairs[truth] += other.pairs[truth];
            self.reported[truth].iter_mut().zip(other.reported[truth]).for_each(|(sum, count)| *sum += count);
        }
    }
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for truth in TRUTHS.into_iter().filter(|truth| self.pairs[*truth as usize] > 0) {
            let shares = Look::ALL.map(|look| format!("{:.2}", 100.0 * self.share_reported(truth, look)));
            write!(f, "{truth:?} ({}): {} %; ", self.pairs[truth as usize], shares.join(", "))?;
        }
        Ok(())
    }
}
