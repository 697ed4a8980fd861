//! The counts of sent requests, kept by the senders.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// Counts requests and failures independently of the monitoring.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    entries: Arc<Mutex<Entries>>,
}

/// The counts by app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Entries {
    /// Transactions by app and name.
    pub(crate) transactions: BTreeMap<String, BTreeMap<String, u64>>,
    /// Errors by app and type.
    pub(crate) errors: BTreeMap<String, BTreeMap<String, u64>>,
    /// The queries of the shop.
    pub(crate) queries: u64,
}

impl Ledger {
    /// Counts a transaction that was started.
    pub(crate) fn sent(&self, app: &str, name: &str) {
        count(&mut self.lock().transactions, app, name);
    }

    /// Counts a failed response.
    pub(crate) fn failed(&self, app: &str, type_name: &str) {
        count(&mut self.lock().errors, app, type_name);
    }

    /// Counts the queries of a request to the shop.
    pub(crate) fn queried(&self, queries: u64) {
        self.lock().queries += queries;
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
