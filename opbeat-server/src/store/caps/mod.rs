//! Caps on the numbers of different values that the data of an app can have: names, results, errors and so on.
//!
//! ```text
//! value ─► known? ──yes──────────────────────────► its own row
//!            │ no
//!            └─► has its owner a free place? ─yes─► its own row, which takes the place
//!                              │ no
//!                              └──────────────────► the row that further values share, and a note on the page Intake
//! ```
//!
//! All caps work in this way, so that input without an end of different values adds no rows without an end, and every sum
//! stays exact. The workers of PostgreSQL hold the lock of an app while they store its data, so that they count its rows
//! one after the other. Values that are removed while their data is stored can exceed a cap by the number of workers.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::engine::{Connection, Value, query};
use super::error::StoreError;

/// A cap on the number of different values that an owner has.
#[derive(Debug)]
pub(super) struct Cap {
    /// The largest number of values, beside the one that further values share.
    pub(super) limit: i64,
    /// The reason under which further values are counted.
    pub(super) reason: &'static str,
    /// The query of the number of values of an owner, which is its parameter.
    count: &'static str,
}

/// The name under which the names beyond [`NAMES`] are counted.
pub(crate) const OTHER_NAMES: &str = "(other names)";

/// The type of the errors beyond [`ERRORS`], which share a group.
pub(super) const OTHER_ERRORS: &str = "(other errors)";

/// The result under which the results beyond [`RESULTS`] are counted.
pub(super) const OTHER_RESULTS: &str = "(other results)";

/// The kind under which the kinds beyond [`KINDS`] are counted.
pub(super) const OTHER_KINDS: &str = "(other kinds)";

/// The transaction names of an app.
///
/// Pages list and sum up all of them. An application with more has names that are no patterns, such as URLs with ids.
pub(super) const NAMES: Cap = Cap {
    limit: 10_000,
    reason: "other_names",
    // Without the row of the sums of the app.
    count: "SELECT count(*) FROM transactions WHERE app_id = ? AND kind <> '\u{1}total'",
};

/// The error groups of an app. An application with more has messages whose varying parts are not recognised.
pub(super) const ERRORS: Cap =
    Cap { limit: 10_000, reason: "other_errors", count: "SELECT count(*) FROM error_groups WHERE app_id = ?" };

/// The results of a transaction: statuses, names of outcomes.
pub(super) const RESULTS: Cap = Cap {
    limit: 100,
    reason: "other_results",
    count: "SELECT count(*) FROM kept_values WHERE list = 'result' AND transaction_id = ?",
};

/// The kinds of the spans of a transaction, beside the time that no span covers.
pub(super) const KINDS: Cap = Cap {
    limit: 50,
    reason: "other_kinds",
    count: "SELECT count(*) FROM kept_values WHERE list = 'kind' AND transaction_id = ?",
};

/// The stacks that the spans of an app were started from. Further ones are left out: a span is complete without one.
pub(super) const STACKS: Cap =
    Cap { limit: 50_000, reason: "span_stacks", count: "SELECT count(*) FROM span_stacks WHERE app_id = ?" };

/// The kinds and signatures of an app's queries and calls, beside the rows that further ones share.
///
/// Pages sum up all of them. An application with more has signatures with varying parts, such as URLs with ids.
pub(super) const SPANS: Cap = Cap {
    limit: 2_000,
    reason: "other_spans",
    count: "SELECT count(*) FROM spans WHERE app_id = ? AND signature <> '(others)'",
};

/// The kinds of an app whose further signatures have a row of their own. Those of other kinds share the row of their family.
pub(super) const OTHER_SPAN_KINDS: Cap = Cap {
    limit: 50,
    reason: "other_spans",
    count: "SELECT count(*) FROM spans WHERE app_id = ? AND signature = '(others)' AND kind <> family",
};

/// The users of an error group. Further ones are counted together, and the group has "over 1,000 users".
///
/// Lists show the greatest of them. Whether an error affects thousands of users or more does not change what is done.
pub(super) const ERROR_USERS: Cap = Cap {
    limit: 1_000,
    reason: "other_error_users",
    count: "SELECT count(*) FROM error_values WHERE list = 'user' AND group_id = ? AND length(key) > 0",
};

/// The transactions of an error group.
pub(super) const ERROR_TRANSACTIONS: Cap = Cap {
    limit: 100,
    reason: "other_error_transactions",
    count: "SELECT count(*) FROM error_values WHERE list = 'transaction' AND group_id = ? AND length(key) > 0",
};

/// The free places of the owners of a cap, which are counted once for each owner.
pub(super) struct Places<O> {
    cap: &'static Cap,
    free: BTreeMap<O, i64>,
}

impl<O: Ord + Clone + Into<Value<'static>>> Places<O> {
    /// Returns the places of a cap.
    pub(super) const fn new(cap: &'static Cap) -> Self {
        Self { cap, free: BTreeMap::new() }
    }

    /// Takes a place for a new value of an owner. Returns false if there is none.
    pub(super) fn take(&mut self, connection: &mut Connection, owner: &O) -> Result<bool, StoreError> {
        let free = match self.free.entry(owner.clone()) {
            Entry::Occupied(free) => free.into_mut(),
            Entry::Vacant(free) => {
                let count: i64 = query(self.cap.count).bind(owner.clone()).fetch_one(connection)?.try_get(0)?;
                free.insert(self.cap.limit.saturating_sub(count))
            }
        };
        let is_free = *free > 0;
        *free = free.saturating_sub(1);
        Ok(is_free)
    }
}

#[cfg(test)]
mod tests;
