//! The span signature that is responsible for a slow-down.
//!
//! A signature's time per transaction is the number of its calls per transaction times their mean time. Its rise is
//! split into more calls, at the old mean time, and slower calls: Δ = (a₁ − a₀)·d₀ + a₁·(d₁ − d₀).

use std::ops::Range;

use crate::study::Subject;

/// The largest number of spans of a transaction. Further ones are not examined.
pub const MAX_SPANS: usize = 1_000;

/// The share of all rises that a cause has at least.
const MIN_SHARE: f64 = 0.5;

/// The standard errors, over blocks, of a rise that is named.
const LIMIT: f64 = 3.0;

/// Rises below one standard error are noise, and are not added to the sum of rises.
const COUNTED: f64 = 1.0;

/// Blocks on each side without which nothing is named.
const MIN_BLOCKS: usize = 2;

/// Larger numbers count as this one, so that sums of squares stay finite.
const MAX_VALUE: f64 = 1e15;

/// The calls of a signature in the recorded transactions of one block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Calls {
    /// The number of calls.
    pub count: f64,
    /// The time of all calls, in milliseconds.
    pub milliseconds: f64,
}

/// A span signature of a transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Span {
    /// The signature, such as `SELECT FROM reviews`.
    pub signature: String,
    /// The kind, such as `db.postgresql`.
    pub kind: String,
    /// The calls by block. Blocks that are missing at the end had no calls.
    pub calls: Vec<Calls>,
}

/// The spans of a transaction name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Breakdown {
    /// The transactions of each block whose spans are known.
    pub transactions: Vec<f64>,
    /// The signatures. The transaction's own time can be one of them.
    pub spans: Vec<Span>,
}

/// The larger part of a rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rise {
    /// More calls per transaction.
    MoreCalls,
    /// The calls take longer.
    SlowerCalls,
}

/// The change of one signature, or of all signatures of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpanChange {
    /// Calls per transaction, before and after.
    pub calls: (f64, f64),
    /// Milliseconds per call, before and after.
    pub milliseconds_per_call: (f64, f64),
    /// The rise of the time per transaction, in milliseconds.
    pub rise: f64,
    /// The standard error of the rise.
    pub error: f64,
    /// The share of all rises, from 0 to 1.
    pub share: f64,
    /// The larger part of the rise.
    pub part: Rise,
}

/// The part of a transaction that takes the additional time.
#[derive(Clone, Debug, PartialEq)]
pub enum Cause {
    /// One signature.
    Signature {
        /// Its name.
        signature: String,
        /// Its change.
        change: SpanChange,
    },
    /// No single signature, but one kind.
    Kind {
        /// Its name.
        kind: String,
        /// The change of all its signatures together.
        change: SpanChange,
    },
    /// No single cause.
    Several,
}

/// The sums of a window: transactions, calls, corrected milliseconds.
#[derive(Clone, Copy, Default)]
struct Side {
    transactions: f64,
    calls: f64,
    milliseconds: f64,
    /// The variance of the time per transaction, over blocks.
    variance: f64,
}

impl Side {
    fn time(&self) -> f64 {
        self.milliseconds / self.transactions
    }

    fn calls_per_transaction(&self) -> f64 {
        self.calls / self.transactions
    }

    fn time_of_call(&self, otherwise: f64) -> f64 {
        if self.calls > 0.0 { self.milliseconds / self.calls } else { otherwise }
    }
}

/// Returns a number that sums can contain.
fn sane(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(0.0, MAX_VALUE) }
}

impl Subject<'_> {
    /// Returns the part of the transaction that took the additional time.
    ///
    /// The blocks of the breakdown are those of the study. The deviation that all transactions share is removed from
    /// the times, as it is from the durations.
    #[must_use]
    pub fn cause(&self, breakdown: &Breakdown) -> Cause {
        let spans = breakdown.spans.get(..MAX_SPANS).unwrap_or(&breakdown.spans);
        let single = spans.iter().map(|span| self.change(breakdown, std::slice::from_ref(&span)));
        if let Some((index, change)) = responsible(single.collect()) {
            return Cause::Signature { signature: spans[index].signature.clone(), change };
        }
        let mut kinds: Vec<&str> = spans.iter().map(|span| span.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let of_kind = |kind: &&str| {
            let spans: Vec<&Span> = spans.iter().filter(|span| span.kind == **kind).collect();
            self.change(breakdown, &spans)
        };
        match responsible(kinds.iter().map(of_kind).collect()) {
            Some((index, change)) => Cause::Kind { kind: kinds[index].to_owned(), change },
            None => Cause::Several,
        }
    }

    /// Returns the change of some spans together, or `None` without enough blocks on both sides.
    fn change(&self, breakdown: &Breakdown, spans: &[&Span]) -> Option<SpanChange> {
        let (before, after) = self.windows();
        let before = self.side(breakdown, spans, before)?;
        let after = self.side(breakdown, spans, after)?;
        let old_time = before.time_of_call(after.time_of_call(0.0));
        let new_time = after.time_of_call(old_time);
        let more = (after.calls_per_transaction() - before.calls_per_transaction()) * old_time;
        let slower = after.calls_per_transaction() * (new_time - old_time);
        Some(SpanChange {
            calls: (before.calls_per_transaction(), after.calls_per_transaction()),
            milliseconds_per_call: (old_time, new_time),
            rise: after.time() - before.time(),
            error: (before.variance + after.variance).sqrt(),
            share: 0.0,
            part: if more > slower { Rise::MoreCalls } else { Rise::SlowerCalls },
        })
    }

    /// Adds up the blocks of a window. The variance is that of a ratio of sums.
    fn side(&self, breakdown: &Breakdown, spans: &[&Span], blocks: Range<usize>) -> Option<Side> {
        let of_block = |block: usize| {
            let transactions = sane(breakdown.transactions.get(block).copied().unwrap_or(0.0));
            let factor = (-self.correction(block)).exp();
            let calls = spans.iter().filter_map(|span| span.calls.get(block));
            let sum = calls.fold((0.0, 0.0), |(count, time), calls| {
                (count + sane(calls.count), time + sane(calls.milliseconds) * factor)
            });
            (transactions, sum.0, sum.1)
        };
        let filled: Vec<_> = blocks.map(of_block).filter(|(transactions, _, _)| *transactions > 0.0).collect();
        if filled.len() < MIN_BLOCKS {
            return None;
        }
        let mut side = Side::default();
        for (transactions, calls, milliseconds) in &filled {
            side.transactions += transactions;
            side.calls += calls;
            side.milliseconds += milliseconds;
        }
        let residual = |(transactions, _, milliseconds): &(f64, f64, f64)| {
            (milliseconds - side.time() * transactions) / side.transactions
        };
        let squares: f64 = filled.iter().map(|block| residual(block).powi(2)).sum();
        side.variance = squares * filled.len() as f64 / (filled.len() - 1) as f64;
        Some(side)
    }
}

/// Returns the change that is significant and has most of all rises.
fn responsible(changes: Vec<Option<SpanChange>>) -> Option<(usize, SpanChange)> {
    let rises = changes.iter().flatten().filter(|change| change.rise > COUNTED * change.error);
    let sum: f64 = rises.map(|change| change.rise).sum();
    let largest = changes.into_iter().enumerate().filter_map(|(index, change)| Some((index, change?)));
    let (index, mut change) = largest.max_by(|(_, one), (_, other)| one.rise.total_cmp(&other.rise))?;
    change.share = if sum > 0.0 { (change.rise / sum).min(1.0) } else { 0.0 };
    let is_responsible = change.rise > 0.0 && change.share >= MIN_SHARE && change.rise >= LIMIT * change.error;
    is_responsible.then_some((index, change))
}
