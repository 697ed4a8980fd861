//! The whole table.

use super::case::Case;
use super::{ends, names, responses};

/// Returns all cases of the table.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [responses::CASES, names::CASES, ends::CASES].into_iter().flatten()
}
