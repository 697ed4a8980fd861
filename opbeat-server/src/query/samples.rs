//! Sampled transactions.

use jiff::Timestamp;
use opbeat_protocol::{Frame, SampleContext};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::time::from_micros;
use super::{AppIdentity, Query, QueryError, Range, SampleOrder};
use crate::changes::SampleSpan;
use crate::store::read::SampleSummaryRow;

/// The largest number of span stacks that are looked up for one sample.
const MAX_STACKS: usize = 50;

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
}

/// One sampled transaction with its spans.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Sample {
    /// The columns of lists.
    #[serde(flatten)]
    pub(crate) summary: SampleSummary,
    /// The spans in the order of their start, parents before their children.
    pub(crate) spans: Vec<SampleSpanView>,
    /// Whether it shows the means of many transactions: some agents send no individual ones.
    pub(crate) is_aggregate: bool,
    /// The sample of the transaction that started this one, if that was sampled too.
    pub(crate) parent: Option<SampleReference>,
    /// The request, user, tags and extra values of this transaction.
    #[schema(value_type = Object)]
    pub(crate) context: SampleContext,
}

/// One span of a sample.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SampleSpanView {
    /// Its short name.
    pub(crate) signature: String,
    /// Its kind.
    pub(crate) kind: String,
    /// The number of spans around it.
    pub(crate) depth: usize,
    /// The start, in milliseconds after the transaction's start.
    pub(crate) start_ms: f64,
    /// The duration in milliseconds.
    pub(crate) duration_ms: f64,
    /// Further values, such as `sql` and `url`.
    #[schema(value_type = Object)]
    pub(crate) extra: Map<String, Value>,
    /// The stack that started the span, the oldest call first, if an agent sent it.
    #[schema(value_type = Vec<Object>)]
    pub(crate) frames: Vec<Frame>,
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
        let mut spans = Vec::with_capacity(row.document.spans.len());
        for (index, span) in row.document.spans.into_iter().enumerate() {
            let has_own = !span.frames.is_empty() || index >= MAX_STACKS;
            let frames =
                if has_own { Vec::new() } else { self.store.span_stack(&app.id, &span.kind, &span.signature).await? };
            spans.push(view(span, frames));
        }
        let context = row.document.context;
        let is_aggregate = context.other.get("aggregate").and_then(Value::as_bool).unwrap_or(false);
        let parent = self.find_sample(app, context.parent.as_deref().unwrap_or_default()).await?;
        Ok(Some(Sample { summary: row.summary.into(), spans, is_aggregate, parent, context }))
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

/// Shows a span with its own stack, or else with the one that its kind and signature have.
fn view(span: SampleSpan, shared_frames: Vec<Frame>) -> SampleSpanView {
    let SampleSpan { signature, kind, depth, start_ms, duration_ms, extra, frames } = span;
    let frames = if frames.is_empty() { shared_frames } else { frames };
    SampleSpanView { signature, kind, depth, start_ms, duration_ms, extra, frames }
}

impl From<SampleSummaryRow> for SampleSummary {
    fn from(row: SampleSummaryRow) -> Self {
        Self {
            id: row.id,
            happened_at: from_micros(row.happened_at),
            duration_ms: row.duration_ms,
            result: row.result,
            outcome: row.outcome,
        }
    }
}
