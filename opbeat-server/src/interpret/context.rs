//! The context of a body: its origin, and values of the whole body, which its parts need.

use std::collections::BTreeMap;

use opbeat_protocol::{Timestamp, TransactionsBody};
use serde_json::Value;

use crate::changes::TransactionKey;
use crate::interpret::{Origin, scrub};
use crate::text::start_of;

/// The maximum length of a name, in characters. Longer names are cut.
const MAX_NAME: usize = 512;

/// The maximum length of a result, in characters. Longer results are cut.
const MAX_RESULT: usize = 100;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// The context of a body of `transactions/`.
pub(super) struct BodyContext<'a> {
    pub(super) origin: &'a Origin,
    /// The time of the first group of each transaction name, for traces that have no time of their own.
    times: BTreeMap<String, Timestamp>,
}

impl<'a> BodyContext<'a> {
    pub(super) fn new(origin: &'a Origin, body: &TransactionsBody) -> Self {
        let mut times = BTreeMap::new();
        for group in &body.transactions {
            let at = plausible_time(origin, group.timestamp);
            times.entry(group.transaction.clone()).or_insert(at);
        }
        Self { origin, times }
    }

    /// Returns the key of a transaction. If the agent sends no kind, the kind is derived from its framework.
    pub(super) fn key(&self, name: &str, kind: Option<&str>) -> TransactionKey {
        let kind = kind.filter(|kind| !kind.is_empty()).map_or_else(|| self.kind_of(name), cut_name);
        TransactionKey { app_id: self.origin.app_id.clone(), kind, name: cut_name(name) }
    }

    /// Returns the minute of a time that the agent sent, or of the receipt if the time is not plausible.
    pub(super) fn minute(&self, claimed: Option<Timestamp>) -> Timestamp {
        plausible_time(self.origin, claimed).minute()
    }

    /// Returns the minute of the transactions with a name.
    pub(super) fn minute_of(&self, name: &str) -> Timestamp {
        self.times.get(name).copied().unwrap_or(self.origin.received).minute()
    }

    /// Returns the kind of a transaction by its name.
    ///
    /// The Python agent sends no kind. It sends its framework in a header, and starts the names of requests with the
    /// method.
    fn kind_of(&self, name: &str) -> String {
        const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "DELETE ", "HEAD ", "OPTIONS ", "PATCH "];
        let is_request = name.is_empty() || METHODS.iter().any(|method| name.starts_with(method));
        let framework = self.origin.platform.split(' ').find_map(|part| part.strip_prefix("framework="));
        match framework.and_then(|framework| framework.split('/').next()) {
            Some(framework) if is_request => {
                let mut kind = format!("web.{}", cut_name(framework));
                scrub::scrub_text(&mut kind);
                kind
            }
            _ => String::new(),
        }
    }
}

/// Returns a time that an agent sent.
///
/// Returns the time of receipt if it is missing, more than a day ahead of the receipt, or more than a year before it.
pub(super) fn plausible_time(origin: &Origin, claimed: Option<Timestamp>) -> Timestamp {
    let received = origin.received;
    let is_plausible =
        |claimed: &Timestamp| (received.micros() - 365 * DAY..=received.micros() + DAY).contains(&claimed.micros());
    claimed.filter(is_plausible).unwrap_or(received)
}

/// Returns a name, cut to [`MAX_NAME`] characters.
pub(super) fn cut_name(name: &str) -> String {
    start_of(name, MAX_NAME).to_owned()
}

/// Returns a result as text of at most [`MAX_RESULT`] characters: `200`, `ok`; an empty string if the agent sends none.
pub(super) fn result_text(result: Option<&Value>) -> String {
    match result {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => start_of(text, MAX_RESULT).to_owned(),
        Some(other) => start_of(&other.to_string(), MAX_RESULT).to_owned(),
    }
}
