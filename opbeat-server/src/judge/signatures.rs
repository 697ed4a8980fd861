//! The time of a kind of span, divided among the signatures that were observed in a transaction.

use std::collections::HashMap;

use opbeat_judgement::{Calls, Span};

use crate::store::read::SpanShareRow;
use crate::store::{Store, StoreError};

const DAY: i64 = 86_400;

/// The largest number of signatures of a transaction: those with the most observed time.
const MAX_SIGNATURES: usize = 100;

/// The blocks of a breakdown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    /// The begin of the first one and the end of the last one, in seconds since 1970.
    pub(super) range: (i64, i64),
    /// Their length, in seconds.
    pub(super) length: i64,
}

/// A signature with its calls by block, in all transactions of the app, as far as they belong to the transaction.
struct Signature {
    row: SpanShareRow,
    calls: Vec<Calls>,
}

/// Divides the spans of kinds, which have the kind as their signature, among the signatures of a transaction.
///
/// The time of the kind is exact, and stays so: only its division is an estimate. A kind without an observed signature stays
/// whole.
pub(super) async fn divide(
    store: &Store,
    app_id: &str,
    transaction: i64,
    blocks: Blocks,
    kinds: Vec<Span>,
) -> Result<Vec<Span>, StoreError> {
    let days = (blocks.range.0.div_euclid(DAY), blocks.range.1.div_euclid(DAY));
    let rows = store.span_shares(app_id, transaction, days, MAX_SIGNATURES).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.span.id).collect();
    let number = usize::try_from((blocks.range.1 - blocks.range.0) / blocks.length).unwrap_or(0);
    let whole = |row: SpanShareRow| (row.span.id, Signature { row, calls: vec![Calls::default(); number] });
    let mut signatures: HashMap<i64, Signature> = rows.into_iter().map(whole).collect();
    for point in store.span_points(app_id, &ids, blocks.length, blocks.range).await? {
        let block = usize::try_from((point.start - blocks.range.0).div_euclid(blocks.length)).ok();
        let Some(signature) = signatures.get_mut(&point.span) else { continue };
        if let Some(calls) = block.and_then(|block| signature.calls.get_mut(block)) {
            calls.count += point.sums.count * signature.row.share;
            calls.milliseconds += point.sums.sum_ms * signature.row.share;
        }
    }
    let signatures: Vec<Signature> = ids.iter().filter_map(|id| signatures.remove(id)).collect();
    Ok(kinds.into_iter().flat_map(|kind| divide_kind(kind, &signatures)).collect())
}

fn divide_kind(kind: Span, signatures: &[Signature]) -> Vec<Span> {
    let of_kind: Vec<&Signature> = signatures.iter().filter(|signature| signature.row.span.kind == kind.kind).collect();
    let sum = |calls: &mut dyn Iterator<Item = &Calls>| {
        calls.fold(Calls::default(), |sum, calls| Calls {
            count: sum.count + calls.count,
            milliseconds: sum.milliseconds + calls.milliseconds,
        })
    };
    let all = sum(&mut of_kind.iter().flat_map(|signature| &signature.calls));
    if all.milliseconds <= 0.0 || all.count <= 0.0 {
        return vec![kind];
    }
    let of_block = |block: usize| sum(&mut of_kind.iter().filter_map(|signature| signature.calls.get(block)));
    let sums: Vec<Calls> = (0..kind.calls.len()).map(of_block).collect();
    let part = |signature: &&Signature| {
        let overall = sum(&mut signature.calls.iter());
        let calls = kind.calls.iter().zip(&sums).enumerate().map(|(block, (calls, sum))| {
            let own = signature.calls.get(block).copied().unwrap_or_default();
            // Blocks without sums are those from before the server kept them: they are divided as all others together.
            let has_sums = sum.milliseconds > 0.0 && sum.count > 0.0;
            let (own, sum) = if has_sums { (own, *sum) } else { (overall, all) };
            Calls {
                count: calls.count * own.count / sum.count,
                milliseconds: calls.milliseconds * own.milliseconds / sum.milliseconds,
            }
        });
        let calls = calls.collect();
        Span { signature: signature.row.span.signature.clone(), kind: kind.kind.clone(), calls }
    };
    of_kind.iter().map(part).collect()
}
