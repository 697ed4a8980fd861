//! Readers of the parts of `transactions/`.

use std::collections::BTreeMap;

use serde::de::{MapAccess, SeqAccess};

use super::check_ins::TakeCheckIn;
use super::context::{At, Budget};
use super::errors::TakeMachine;
use super::notes::Oddity;
use super::scalars::{Milliseconds, Text, Time, Whole, copy_text};
use super::take::{Entries, List, Number, Take, element, skip_elements};
use super::traces::TakeTraces;
use super::untyped::Untyped;
use crate::transactions::{BreakdownGroup, TransactionGroup, TransactionsBody};

/// The body of `transactions/`.
#[derive(Clone, Copy)]
pub(super) struct TakeTransactions;

impl Take for TakeTransactions {
    type Out = TransactionsBody;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<TransactionsBody>, A::Error> {
        let max = at.limits().groups;
        let (mut transactions, mut traces, mut breakdown, mut drops) = (None, None, None, None);
        let (mut machine, mut check_ins) = (None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "transactions" => entries.field("transactions", List::new(TakeGroup, max), &mut transactions)?,
                "traces" => entries.field("traces", TakeTraces, &mut traces)?,
                "breakdown" => entries.field("breakdown", List::new(TakeBreakdown, max), &mut breakdown)?,
                "machine" => entries.field("machine", TakeMachine, &mut machine)?,
                "drops" => entries.field("drops", TakeDrops, &mut drops)?,
                "check_ins" => entries.field("check_ins", List::new(TakeCheckIn, max), &mut check_ins)?,
                _ => entries.skip()?,
            }
        }
        Ok(Some(TransactionsBody {
            transactions: transactions.unwrap_or_default(),
            traces: traces.unwrap_or_default(),
            breakdown: breakdown.unwrap_or_default(),
            machine,
            drops: drops.unwrap_or_default(),
            check_ins: check_ins.unwrap_or_default(),
        }))
    }
}

/// The durations of one name, result, kind and minute.
#[derive(Clone, Copy)]
struct TakeGroup;

impl Take for TakeGroup {
    type Out = TransactionGroup;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<TransactionGroup>, A::Error> {
        let limits = at.limits();
        let (mut transaction, mut durations, mut heads) = (None, None, None);
        let mut group = TransactionGroup::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "transaction" => entries.field("transaction", Text(limits.name), &mut transaction)?,
                "result" => entries.field("result", Untyped::GENERAL, &mut group.result)?,
                "kind" => entries.field("kind", Text(limits.word), &mut group.kind)?,
                "timestamp" => entries.field("timestamp", Time, &mut group.timestamp)?,
                "durations" => {
                    let take = TakeDurations { budget: &at.context.durations };
                    entries.field("durations", take, &mut durations)?;
                }
                "head_durations" => {
                    let take = TakeDurations { budget: &at.context.head_durations };
                    entries.field("head_durations", take, &mut heads)?;
                }
                _ => entries.skip()?,
            }
        }
        group.transaction = transaction.unwrap_or_default();
        group.durations = durations.unwrap_or_default();
        group.head_durations = heads.unwrap_or_default();
        align(at, &mut group);
        Ok(Some(group))
    }
}

/// Removes the durations that cannot be read, which are NaN until here, and their head times.
fn align(at: At<'_>, group: &mut TransactionGroup) {
    let (durations, heads) = (&mut group.durations, &mut group.head_durations);
    // Durations that were cut leave too many head times, which is not the agent's mistake.
    if at.context.durations.is_spent() {
        heads.truncate(durations.len());
    }
    if !heads.is_empty() && heads.len() != durations.len() {
        let path = at.path.key("head_durations");
        At { context: at.context, path: &path }.note(Oddity::DifferentLengths);
        heads.clear();
    }
    for (head, duration) in heads.iter_mut().zip(durations.iter()) {
        // A transaction without a head time is taken for one whose head was its end.
        *head = if head.is_nan() || duration.is_nan() { *duration } else { *head };
    }
    heads.retain(|head| !head.is_nan());
    durations.retain(|duration| !duration.is_nan());
}

/// A list of durations. A duration that cannot be read is NaN, to keep the positions of the others.
struct TakeDurations<'b> {
    budget: &'b Budget,
}

impl Take for TakeDurations<'_> {
    type Out = Vec<f64>;

    fn text(self, at: At<'_>, text: &str) -> Option<Vec<f64>> {
        Milliseconds(at.limits().duration_ms).text(at, text).map(|duration| vec![duration])
    }

    fn number(self, at: At<'_>, number: Number) -> Option<Vec<f64>> {
        at.note(Oddity::WrongType);
        Milliseconds(at.limits().duration_ms).number(at, number).map(|duration| vec![duration])
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<Vec<f64>>, A::Error> {
        let milliseconds = Milliseconds(at.limits().duration_ms);
        let mut durations = Vec::new();
        for index in 0.. {
            if self.budget.is_spent() {
                at.note_count(Oddity::TooMany, skip_elements(&mut array)?);
                break;
            }
            match element(at, &mut array, index, milliseconds, true)? {
                Some(duration) => {
                    durations.push(duration.unwrap_or(f64::NAN));
                    self.budget.spend();
                }
                None => break,
            }
        }
        Ok(Some(durations))
    }
}

/// The time that spans of a single kind took. It belongs to a minute: without a time it is left out.
#[derive(Clone, Copy)]
struct TakeBreakdown;

impl Take for TakeBreakdown {
    type Out = BreakdownGroup;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<BreakdownGroup>, A::Error> {
        let limits = at.limits();
        let word = Text(limits.word);
        let (mut transaction, mut transaction_kind, mut kind) = (None, None, None);
        let (mut timestamp, mut count, mut self_ms) = (None, None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "transaction" => entries.field("transaction", Text(limits.name), &mut transaction)?,
                "transaction_kind" => entries.field("transaction_kind", word, &mut transaction_kind)?,
                "timestamp" => entries.field("timestamp", Time, &mut timestamp)?,
                "kind" => entries.field("kind", word, &mut kind)?,
                "count" => entries.field("count", Whole(limits.count), &mut count)?,
                "self_ms" => entries.field("self_ms", Milliseconds(limits.duration_ms), &mut self_ms)?,
                _ => entries.skip()?,
            }
        }
        let Some(timestamp) = timestamp else {
            at.note(Oddity::InvalidTime);
            return Ok(None);
        };
        Ok(Some(BreakdownGroup {
            transaction: transaction.unwrap_or_default(),
            transaction_kind: transaction_kind.unwrap_or_default(),
            timestamp,
            kind: kind.unwrap_or_default(),
            count: count.unwrap_or_default(),
            self_ms: self_ms.unwrap_or_default(),
        }))
    }
}

/// The numbers of dropped items.
struct TakeDrops;

impl Take for TakeDrops {
    type Out = BTreeMap<String, u64>;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Self::Out>, A::Error> {
        let limits = at.limits();
        let mut drops = BTreeMap::new();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            if drops.len() >= limits.elements {
                entries.skip()?;
                at.note_count(Oddity::TooMany, 1 + entries.skip_all()?);
                break;
            }
            let Some(count) = entries.value(&key, Whole(limits.count))? else { continue };
            let Some(key) = copy_text(at, &key, limits.key) else { continue };
            if drops.insert(key, count).is_some() {
                at.note(Oddity::DuplicateKey);
            }
        }
        Ok(Some(drops))
    }
}
