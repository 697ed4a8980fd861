//! The spans of samples.

use std::collections::HashMap;

use opbeat_protocol::Frame;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Query, QueryError};
use crate::changes::{SampleSpan, SpanGroup, issuing_frame};

/// One span of a sample. In an average, it stands for the spans with the same path in all transactions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SampleSpanView {
    /// The number of its group. The spans of a group share `extra` and `frames`, which only the first of them has.
    pub(crate) group: usize,
    /// Its short name.
    pub(crate) signature: String,
    /// Its kind.
    pub(crate) kind: String,
    /// The number of spans around it.
    pub(crate) depth: usize,
    /// The start, in milliseconds after the transaction's start.
    pub(crate) start_ms: f64,
    /// The duration in milliseconds. In an average, the time of all spans with this path, divided by the number of all
    /// transactions.
    pub(crate) duration_ms: f64,
    /// The averages of the spans with this path; `null` in a single transaction.
    pub(crate) average: Option<SpanAverage>,
    /// The repeats that the span stands for; `null` for a single span.
    pub(crate) repeats: Option<SpanRepeats>,
    /// The id that the span sent to the service it called: 16 hexadecimal digits.
    pub(crate) id: Option<String>,
    /// Further values, such as `sql` and `url`.
    #[schema(value_type = Object)]
    pub(crate) extra: Map<String, Value>,
    /// The stack that started the span, the oldest call first, if an agent sent it.
    #[schema(value_type = Vec<Object>)]
    pub(crate) frames: Vec<Frame>,
    /// Whether extra values and stack were left out because they were too large.
    pub(crate) is_cut: bool,
}

/// The spans with the same path in several transactions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SpanAverage {
    /// The number of spans in all transactions.
    pub(crate) count: u64,
    /// The mean duration of one span, in milliseconds.
    pub(crate) mean_ms: f64,
    /// The number of transactions that have the span.
    pub(crate) transactions: u64,
    /// The share of the transactions that have it, from 0 to 1.
    pub(crate) share: f64,
    /// The number of spans per transaction that has it.
    pub(crate) per_transaction: f64,
    /// The time in milliseconds per transaction that has it.
    pub(crate) per_transaction_ms: f64,
}

/// Equal spans of one transaction, which the agent combined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct SpanRepeats {
    /// Their number.
    pub(crate) count: u64,
    /// The sum of their durations in milliseconds. Some can run at the same time.
    pub(crate) total_ms: f64,
    /// Whether they could be one query or one call: the N+1 problem.
    pub(crate) n_plus_one: bool,
}

impl Query {
    /// Returns the spans of a document of an app, with the stacks that were sent before.
    pub(super) async fn span_views(
        &self,
        app_id: &str,
        groups: Vec<SpanGroup>,
        spans: Vec<SampleSpan>,
        transactions: u64,
    ) -> Result<Vec<SampleSpanView>, QueryError> {
        let sites: Vec<&str> = groups.iter().flat_map(|group| &group.sites).map(String::as_str).collect();
        let stacks = self.store.span_stacks(app_id, &sites).await?;
        Ok(views(groups, spans, &stacks, transactions))
    }
}

/// Returns the spans with the facts of their groups. A span whose group is missing in a damaged document is left out.
fn views(
    groups: Vec<SpanGroup>,
    spans: Vec<SampleSpan>,
    stacks: &HashMap<String, Vec<Frame>>,
    transactions: u64,
) -> Vec<SampleSpanView> {
    let mut groups: Vec<(SpanGroup, bool)> = groups.into_iter().map(|group| (group, false)).collect();
    let view = |span: SampleSpan| {
        let (group, is_shown) = groups.get_mut(span.group)?;
        let is_first = !std::mem::replace(is_shown, true);
        let own = std::mem::take(&mut group.frames);
        let known = || group.sites.iter().find_map(|site| stacks.get(site)).cloned().unwrap_or_default();
        Some(SampleSpanView {
            group: span.group,
            signature: group.signature.clone(),
            kind: group.kind.clone(),
            depth: span.depth,
            start_ms: span.start_ms,
            duration_ms: span.duration_ms,
            average: SpanAverage::of(&span, transactions),
            repeats: SpanRepeats::of(&span, transactions),
            id: span.id.map(|id| format!("{id:016x}")),
            extra: std::mem::take(&mut group.extra),
            frames: if is_first && own.is_empty() { known() } else { own },
            is_cut: group.is_cut,
        })
    };
    spans.into_iter().filter_map(view).collect()
}

/// Returns the application's line that started a span, given its stack: `src/books.rs:41 in shop::books::list`.
pub(crate) fn issuing_line(frames: &[Frame]) -> Option<String> {
    let frame = issuing_frame(frames)?;
    let function = frame.function.as_deref().map(|function| format!(" in {function}")).unwrap_or_default();
    Some(format!("{}:{}{function}", frame.filename, frame.lineno))
}

impl SpanAverage {
    /// Returns the averages of a span, or `None` for a span of a single transaction.
    fn of(span: &SampleSpan, transactions: u64) -> Option<Self> {
        if span.count == 0 || transactions == 0 {
            return None;
        }
        let (count, with) = (span.count as f64, span.transactions.max(1) as f64);
        let total_ms = span.duration_ms * transactions as f64;
        Some(Self {
            count: span.count,
            mean_ms: total_ms / count,
            transactions: span.transactions,
            share: with / transactions as f64,
            per_transaction: count / with,
            per_transaction_ms: total_ms / with,
        })
    }
}

impl SpanRepeats {
    /// Returns the repeats that a span of a single transaction stands for.
    fn of(span: &SampleSpan, transactions: u64) -> Option<Self> {
        let is_combined = transactions == 0 && span.count > 1;
        is_combined.then(|| Self {
            count: span.count,
            total_ms: span.total_ms.unwrap_or(span.duration_ms),
            n_plus_one: span.n_plus_one,
        })
    }
}
