//! The context of a body: its origin, and values of the whole body, which its parts need.

use std::collections::{BTreeMap, HashMap};

use opbeat_protocol::{BreakdownGroup, Timestamp, Traces, TransactionGroup};
use serde_json::Value;

use crate::changes::{MINUTES_KEPT, TransactionKey};
use crate::interpret::{Origin, scrub};
use crate::text::start_of;

/// The maximum length of a name, in characters. Longer names are cut.
const MAX_NAME: usize = 512;

/// The maximum length of a result, in characters. Longer results are cut.
const MAX_RESULT: usize = 100;

/// The longest time by which a clock can be ahead of the server's, in microseconds: 10 minutes.
const MAX_AHEAD: i64 = 600_000_000;

/// The context of a body of `transactions/`.
pub(super) struct BodyContext<'a> {
    pub(super) origin: &'a Origin,
    /// The groups of durations by the name of their transactions.
    counted: BTreeMap<&'a str, Vec<Counted<'a>>>,
    /// The kind of each name for which one part of the body contains a kind. Other parts can lack it.
    kinds: HashMap<String, String>,
}

/// The durations of one transaction name, kind, result and minute.
pub(super) struct Counted<'a> {
    /// The transaction.
    pub(super) key: TransactionKey,
    /// The minute in which the durations are counted.
    pub(super) minute: Timestamp,
    /// The group as the agent sent it.
    pub(super) group: &'a TransactionGroup,
}

/// The time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlacedTime {
    /// The time under which the event is counted and shown.
    pub(super) at: Timestamp,
    /// The time that the agent sent, if the event is counted at its receipt instead.
    pub(super) claimed: Option<Timestamp>,
}

impl PlacedTime {
    /// Returns whether the event is not counted at the time that the agent sent.
    pub(super) fn is_replaced(&self) -> bool {
        self.claimed.is_some()
    }
}

impl<'a> BodyContext<'a> {
    pub(super) fn new(
        origin: &'a Origin,
        transactions: &'a [TransactionGroup],
        traces: &Traces,
        breakdown: &[BreakdownGroup],
    ) -> Self {
        let kinds = kinds(transactions, traces, breakdown);
        let mut context = Self { origin, counted: BTreeMap::new(), kinds };
        for group in transactions {
            let key = context.key(&group.transaction, group.kind.as_deref());
            let minute = context.minute(group.timestamp);
            context.counted.entry(&group.transaction).or_default().push(Counted { key, minute, group });
        }
        context
    }

    /// Returns the groups of durations of a transaction name.
    pub(super) fn counted(&self, name: &str) -> &[Counted<'a>] {
        self.counted.get(name).map_or(&[], Vec::as_slice)
    }

    /// Returns the groups of durations of all transactions.
    pub(super) fn all_counted(&self) -> impl Iterator<Item = &Counted<'a>> {
        self.counted.values().flatten()
    }

    /// Returns the key of a transaction.
    ///
    /// If this part of the body has no kind, the kind is that of another part with the same name. If no part has one,
    /// it is derived from the agent's framework. A kind that the store uses itself begins with a control character.
    pub(super) fn key(&self, name: &str, kind: Option<&str>) -> TransactionKey {
        let sent = kind.filter(|kind| !kind.is_empty()).or_else(|| self.kinds.get(name).map(String::as_str));
        let kind = sent.map(|kind| kind.trim_start_matches(char::is_control));
        let kind = kind.map_or_else(|| self.kind_of(name), cut_name);
        TransactionKey { app_id: self.origin.app_id.clone(), kind, name: cut_name(name) }
    }

    /// Returns the minute of a time that the agent sent, or of the receipt if the time cannot be shown.
    pub(super) fn minute(&self, claimed: Option<Timestamp>) -> Timestamp {
        placed_time(self.origin, claimed).at.minute()
    }

    /// Returns the minute of the first transactions with a name, for traces that have no time of their own.
    pub(super) fn minute_of(&self, name: &str) -> Timestamp {
        self.counted(name).first().map_or(self.origin.received.minute(), |counted| counted.minute)
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

/// Returns the first kind of each name. The counts decide before the traces: Ruby's traces have no kind.
fn kinds(transactions: &[TransactionGroup], traces: &Traces, breakdown: &[BreakdownGroup]) -> HashMap<String, String> {
    let (Traces::Groups(groups) | Traces::Sampled { groups, .. }) = traces;
    let counted = transactions.iter().map(|group| (&group.transaction, group.kind.as_deref()));
    let traced = groups.iter().map(|group| (&group.transaction, group.transaction_kind.as_deref()));
    let divided = breakdown.iter().map(|part| (&part.transaction, Some(part.transaction_kind.as_str())));
    let mut kinds: HashMap<String, String> = HashMap::new();
    for (name, kind) in counted.chain(traced).chain(divided) {
        if let Some(kind) = kind.filter(|kind| !kind.is_empty())
            && !kinds.contains_key(name)
        {
            kinds.insert(name.clone(), kind.to_owned());
        }
    }
    kinds
}

/// Decides the time under which an event is counted.
///
/// It is the time that the agent sent. Events without a time, more than 10 minutes ahead of the receipt, or older than
/// the rows by minute, are counted at their receipt: nobody would see them at their own time.
pub(super) fn placed_time(origin: &Origin, claimed: Option<Timestamp>) -> PlacedTime {
    let received = origin.received;
    let shown =
        received.micros().saturating_sub(MINUTES_KEPT * 1_000_000)..=received.micros().saturating_add(MAX_AHEAD);
    match claimed {
        Some(claimed) if shown.contains(&claimed.micros()) => PlacedTime { at: claimed, claimed: None },
        claimed => PlacedTime { at: received, claimed },
    }
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
