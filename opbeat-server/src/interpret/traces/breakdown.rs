//! Adds self times to the changes, in a number of rows that is in proportion to the body.

use std::collections::BTreeMap;

use super::groups::APP;
use crate::changes::{Changes, SelfTime, TransactionKey};
use crate::interpret::context::cut_name;

/// The number of rows that any body may add.
const MIN_ROWS: usize = 1_000;

/// Self times of a body. A body with many minutes and many kinds of span could otherwise add their product.
pub(super) struct Breakdown<'c> {
    changes: &'c mut Changes,
    rows_left: usize,
}

impl<'c> Breakdown<'c> {
    /// `received` is the number of groups and spans in the body.
    pub(super) fn new(changes: &'c mut Changes, received: usize) -> Self {
        Self { changes, rows_left: MIN_ROWS + 4 * received }
    }

    /// Adds the parts of a transaction's time in one minute. The parts count as one if there are too many.
    pub(super) fn add(&mut self, key: &TransactionKey, minute: i64, parts: &BTreeMap<&str, SelfTime>, samples: u64) {
        let mut row = |kind: &str, part: SelfTime| {
            let row = (key.clone(), minute, cut_name(kind));
            self.changes.breakdowns.entry(row).or_default().merge(SelfTime { samples, ..part });
        };
        match self.rows_left.checked_sub(parts.len()) {
            Some(left) => {
                self.rows_left = left;
                parts.iter().for_each(|(kind, part)| row(kind, *part));
            }
            None => {
                let self_ms = parts.values().map(|part| part.self_ms).sum();
                let count = parts.get(APP).map_or(0, |app| app.count);
                row(APP, SelfTime { count, self_ms, samples: 0 });
            }
        }
    }
}
