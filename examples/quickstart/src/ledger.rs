//! What was sent, counted by those who sent it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Requests and failures, counted apart from all monitoring.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    entries: Arc<Mutex<Entries>>,
}

/// What was counted, by app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Entries {
    /// Transactions by app and name.
    pub(crate) transactions: BTreeMap<String, BTreeMap<String, u64>>,
    /// Errors by app and type.
    pub(crate) errors: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Ledger {
    /// Counts a transaction that was started.
    pub(crate) fn sent(&self, app: &str, name: &str) {
        count(&mut self.lock().transactions, app, name);
    }

    /// Counts a failure that was seen.
    pub(crate) fn failed(&self, app: &str, type_name: &str) {
        count(&mut self.lock().errors, app, type_name);
    }

    pub(crate) fn entries(&self) -> Entries {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(counts: &mut BTreeMap<String, BTreeMap<String, u64>>, app: &str, name: &str) {
    *counts.entry(app.to_owned()).or_default().entry(name.to_owned()).or_default() += 1;
}
