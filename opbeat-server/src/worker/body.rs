//! What the parts of one body need to know of the rest.

use std::collections::BTreeMap;

use opbeat_protocol::{Timestamp, TransactionsBody};
use serde_json::Value;

use super::time;
use crate::queue::Envelope;
use crate::store::TransactionKey;

/// Longer names are cut.
const MAX_NAME: usize = 512;

/// The body of `transactions/`, as its parts see it.
pub(super) struct Body<'a> {
    pub(super) envelope: &'a Envelope,
    /// The first minute of each name, for traces that come without one.
    minutes: BTreeMap<String, Timestamp>,
}

impl<'a> Body<'a> {
    pub(super) fn new(envelope: &'a Envelope, body: &TransactionsBody) -> Self {
        let mut minutes = BTreeMap::new();
        for group in &body.transactions {
            let at = time::plausible(group.timestamp, envelope.received());
            minutes.entry(group.transaction.clone()).or_insert(at);
        }
        Self { envelope, minutes }
    }

    /// Names a transaction. Where the agent sends no kind, its framework tells it.
    pub(super) fn key(&self, name: &str, kind: Option<&str>) -> TransactionKey {
        let kind = kind.filter(|kind| !kind.is_empty()).map_or_else(|| self.kind_of(name), cut);
        TransactionKey { app_id: self.envelope.app_id.clone(), kind, name: cut(name) }
    }

    pub(super) fn minute(&self, claimed: Option<Timestamp>) -> Timestamp {
        time::plausible(claimed, self.envelope.received()).minute()
    }

    /// Returns the minute of a name's transactions.
    pub(super) fn minute_of(&self, name: &str) -> Timestamp {
        self.minutes.get(name).copied().unwrap_or_else(|| self.envelope.received()).minute()
    }

    /// The Python agent tells its framework beside the body, and names requests after their method.
    fn kind_of(&self, name: &str) -> String {
        const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "DELETE ", "HEAD ", "OPTIONS ", "PATCH "];
        let is_request = name.is_empty() || METHODS.iter().any(|method| name.starts_with(method));
        let framework = self.envelope.platform.split(' ').find_map(|part| part.strip_prefix("framework="));
        match framework.and_then(|framework| framework.split('/').next()) {
            Some(framework) if is_request => format!("web.{}", cut(framework)),
            _ => String::new(),
        }
    }
}

/// Cuts a name to what is kept.
pub(super) fn cut(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

/// Returns a result as text of at most 100 characters: `200`, `ok`; an empty string if the agent sends none.
pub(super) fn result_text(result: Option<&Value>) -> String {
    match result {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.chars().take(100).collect(),
        Some(other) => other.to_string().chars().take(100).collect(),
    }
}
