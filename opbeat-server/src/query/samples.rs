//! Sampled transactions.

use std::collections::HashMap;

use jiff::Timestamp;
use opbeat_protocol::{Frame, SampleContext};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::time::from_micros;
use super::trace::TraceSample;
use super::{AppIdentity, Query, QueryError, Range, SampleOrder};
use crate::changes::{SampleDocument, SampleSpan, SpanGroup};
use crate::store::read::SampleSummaryRow;

/// A sample in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SampleSummary {
    /// Its id.
    pub(crate) id: i64,
    /// The start of the transaction, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) happened_at: Timestamp,
    /// The duration in milliseconds.
    pub(crate) duration_ms: f64,
    /// The result, or an empty string.
    pub(crate) result: String,
    /// The outcome, such as `ok` or `panicked`, or an empty string.
    pub(crate) outcome: String,
    /// The number of transactions that it is the average of; `null` if it is a single transaction.
    pub(crate) average_of: Option<u64>,
}

/// One sampled transaction with its spans.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Sample {
    /// The columns of lists.
    #[serde(flatten)]
    pub(crate) summary: SampleSummary,
    /// The spans in the order of their start, parents before their children.
    pub(crate) spans: Vec<SampleSpanView>,
    /// The number of further spans that were left out because there were too many.
    pub(crate) omitted_spans: u64,
    /// Whether it is the average of many transactions: some agents send no individual ones.
    pub(crate) is_aggregate: bool,
    /// The time that the agent sent, RFC 3339 in UTC, if the sample is listed at the time of its receipt instead.
    #[schema(value_type = Option<String>)]
    pub(crate) claimed_at: Option<Timestamp>,
    /// The sample of the transaction that started this one, if that was sampled too.
    pub(crate) parent: Option<SampleReference>,
    /// The samples of the same trace in the organization's apps, in the order in which they call each other.
    pub(crate) trace: Vec<TraceSample>,
    /// The request, user, tags and extra values of this transaction.
    #[schema(value_type = Object)]
    pub(crate) context: SampleContext,
}

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

/// The ids that a sample is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct SampleReference {
    /// The transaction's id.
    pub(crate) transaction_id: i64,
    /// The sample's id.
    pub(crate) sample_id: i64,
}

impl Query {
    /// Returns samples of a transaction.
    pub(crate) async fn samples(
        &self,
        app: &AppIdentity,
        transaction: i64,
        range: &Range,
        order: SampleOrder,
        limit: i64,
    ) -> Result<Vec<SampleSummary>, QueryError> {
        let samples = self.store.samples(&app.id, transaction, range.micros(), order, limit).await?;
        Ok(samples.into_iter().map(Into::into).collect())
    }

    /// Returns one sample.
    pub(crate) async fn sample(
        &self,
        app: &AppIdentity,
        transaction: i64,
        id: i64,
    ) -> Result<Option<Sample>, QueryError> {
        let Some(row) = self.store.sample(&app.id, transaction, id).await? else { return Ok(None) };
        let trace = self.trace(app, &row).await?;
        let SampleDocument { groups, spans, omitted_spans, average_of, claimed_at, context } = row.document;
        let spans = self.span_views(&app.id, groups, spans, average_of).await?;
        let is_aggregate = average_of > 0;
        let claimed_at = claimed_at.map(from_micros);
        let parent = self.find_sample(app, context.parent.as_deref().unwrap_or_default()).await?;
        let summary = SampleSummary { average_of: Some(average_of).filter(|_| is_aggregate), ..row.summary.into() };
        Ok(Some(Sample { summary, spans, omitted_spans, is_aggregate, claimed_at, parent, trace, context }))
    }

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

    /// Finds a sample by the id that the agent gave its transaction.
    pub(super) async fn find_sample(
        &self,
        app: &AppIdentity,
        external_id: &str,
    ) -> Result<Option<SampleReference>, QueryError> {
        let found = self.store.find_sample(&app.id, external_id).await?;
        Ok(found.map(|(transaction_id, sample_id)| SampleReference { transaction_id, sample_id }))
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

impl From<SampleSummaryRow> for SampleSummary {
    fn from(row: SampleSummaryRow) -> Self {
        Self {
            id: row.id,
            happened_at: from_micros(row.happened_at),
            duration_ms: row.duration_ms,
            result: row.result,
            outcome: row.outcome,
            average_of: u64::try_from(row.average_of).ok().filter(|number| *number > 0),
        }
    }
}
