//! The durations and the time by kind of span of an app's transactions, in blocks of ten minutes.

use std::collections::HashMap;

use opbeat_judgement::{Breakdown, Calls, Change, Series, Span};

use super::due::{Due, Subject, minutes_of};
use super::results::Requests;
use super::signatures::{Blocks, divide};
use crate::store::read::{RollupSpan, TransactionRow};
use crate::store::{Store, StoreError};

/// The length of a block in seconds: that of rows which are kept for 14 days.
const BLOCK: i64 = 600;

/// The seconds before a release that are compared with it.
const BEFORE: i64 = 4 * 86_400;

/// The largest number of transactions: those that took the most time. Their histograms are in memory while a look is taken.
const MAX_TRANSACTIONS: usize = 50;

/// The kind of the time that no span covers, and its name in sentences.
const OWN_CODE: (&str, &str) = ("app", "the application's own code");

/// The transactions of an app around a release.
#[derive(Debug)]
pub(super) struct History {
    /// The transactions.
    pub(super) transactions: Vec<TransactionRow>,
    /// Their durations by result, in the same order.
    pub(super) series: Vec<Series>,
    /// The numbers of their executions by block.
    counts: Vec<Vec<f64>>,
    /// The begin of the first block and the end of the last one, in seconds since 1970.
    range: (i64, i64),
    subject: Subject,
    change: (i64, i64),
}

impl History {
    /// Reads the transactions of an app that took the most time around a release.
    pub(super) async fn read(store: &Store, due: &Due) -> Result<Self, StoreError> {
        let (begin, end) = due.change;
        let from = begin - BEFORE - (begin - BEFORE).rem_euclid(BLOCK);
        let to = end + minutes_of(due.look) * 60;
        let to = to + (-to).rem_euclid(BLOCK);
        let app_id = &*due.app_id;
        let span = RollupSpan { app_id, transactions: None, resolution: BLOCK, from, to };
        let mut sums = store.transaction_sums(span).await?;
        sums.sort_by(|a, b| b.sum_ms.total_cmp(&a.sum_ms).then(a.transaction.id.cmp(&b.transaction.id)));
        let transactions: Vec<TransactionRow> =
            sums.into_iter().take(MAX_TRANSACTIONS).map(|sum| sum.transaction).collect();

        let places: HashMap<i64, usize> =
            transactions.iter().enumerate().map(|(place, transaction)| (transaction.id, place)).collect();
        let ids: Vec<i64> = transactions.iter().map(|transaction| transaction.id).collect();
        let blocks = usize::try_from((to - from) / BLOCK).unwrap_or(0);
        let mut requests: Vec<Requests> = ids.iter().map(|_| Requests::new(blocks)).collect();
        let mut counts = vec![vec![0.0; blocks]; ids.len()];
        let span = RollupSpan { transactions: Some(&ids), ..span };
        if !ids.is_empty() {
            store
                .each_rollup(span, |row| {
                    let block = usize::try_from((row.start - from) / BLOCK).ok();
                    let (Some(block), Some(place)) =
                        (block.filter(|block| *block < blocks), places.get(&row.transaction))
                    else {
                        return;
                    };
                    requests[*place].add(block, &row.result, &row.rollup);
                    counts[*place][block] += row.rollup.count as f64;
                })
                .await?;
        }
        // A new app has no days without requests, but a short history.
        let first = (0..blocks).find(|block| counts.iter().any(|counts| counts[*block] > 0.0)).unwrap_or(0);
        let series = requests.into_iter().map(|requests| requests.series(first)).collect();
        counts.iter_mut().for_each(|counts| drop(counts.drain(..first)));
        let from = from + BLOCK * i64::try_from(first).unwrap_or(0);
        Ok(Self { transactions, series, counts, range: (from, to), subject: due.subject, change: due.change })
    }

    /// Returns the change, in minutes from the first block.
    pub(super) fn change(&self) -> Change {
        let minute = |second: i64| usize::try_from((second - self.range.0) / 60).unwrap_or(0);
        let (begin, end) = (minute(self.change.0), minute(self.change.1));
        match self.subject {
            Subject::Release(_) => Change::release(begin, end),
            Subject::Time { since, .. } => Change::candidate(begin).since(minute(since)).seen_from(end),
        }
    }

    /// Returns a minute from the first block on, in seconds since 1970.
    pub(super) fn second(&self, minute: usize) -> i64 {
        self.range.0 + 60 * i64::try_from(minute).unwrap_or(0)
    }

    /// Returns whether there are data from a time on, in seconds since 1970.
    pub(super) const fn reaches_back_to(&self, second: i64) -> bool {
        self.range.0 <= second
    }

    /// Reads the time by signature, or by kind, of the spans of some of the transactions, given their indexes.
    pub(super) async fn breakdowns(
        &self,
        store: &Store,
        app_id: &str,
        places: &[usize],
    ) -> Result<Vec<Breakdown>, StoreError> {
        let ids: Vec<i64> = places.iter().map(|place| self.transactions[*place].id).collect();
        let (from, to) = self.range;
        let mut spans: Vec<HashMap<String, Vec<Calls>>> = vec![HashMap::new(); ids.len()];
        let blocks = usize::try_from((to - from) / BLOCK).unwrap_or(0);
        let span = RollupSpan { app_id, transactions: Some(&ids), resolution: BLOCK, from, to };
        for row in store.self_times(span).await? {
            let block = usize::try_from((row.start - from) / BLOCK).ok().filter(|block| *block < blocks);
            let (Some(block), Some(index)) = (block, ids.iter().position(|id| *id == row.transaction)) else {
                continue;
            };
            let calls = spans[index].entry(row.kind).or_insert_with(|| vec![Calls::default(); blocks]);
            calls[block].count += row.self_time.count as f64;
            calls[block].milliseconds += row.self_time.self_ms;
        }
        let mut breakdowns = Vec::with_capacity(places.len());
        for ((place, id), spans) in places.iter().zip(&ids).zip(spans) {
            let span = |(kind, calls): (String, Vec<Calls>)| {
                let signature = if kind == OWN_CODE.0 { OWN_CODE.1.to_owned() } else { kind.clone() };
                Span { signature, kind, calls }
            };
            let mut spans: Vec<Span> = spans.into_iter().map(span).collect();
            spans.sort_by(|a, b| a.signature.cmp(&b.signature));
            let spans = divide(store, app_id, *id, Blocks { range: self.range, length: BLOCK }, spans).await?;
            breakdowns.push(Breakdown { transactions: self.counts[*place].clone(), spans });
        }
        Ok(breakdowns)
    }
}
