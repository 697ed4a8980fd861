//! Sampled transactions.

use opbeat_protocol::{Frame, SampleContext};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{AppIdentity, Query, QueryError, Range, SampleOrder, rfc3339};
use crate::store::SampleSpan;
use crate::store::read::SampleSummaryRow;

/// Span stacks looked up for one sample, at the most.
const MAX_STACKS: usize = 50;

/// A sample in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleSummary {
    /// Its id.
    pub id: i64,
    /// When it began, RFC 3339 in UTC.
    pub happened_at: String,
    /// How long it took in milliseconds.
    pub duration_ms: f64,
    /// Its result, or an empty string.
    pub result: String,
    /// How it ended, or an empty string.
    pub outcome: String,
}

/// One sampled transaction with its spans.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Sample {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: SampleSummary,
    /// Its parts in the order of their start, parents before their children.
    pub spans: Vec<SampleSpanView>,
    /// Whether it shows the means of many transactions: some agents send no single ones.
    pub is_aggregate: bool,
    /// The sample that started it, where that was sampled too.
    pub parent: Option<SampleReference>,
    /// What is known of it: request, user, tags, extra values.
    #[schema(value_type = Object)]
    pub context: SampleContext,
}

/// One part of a sample.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SampleSpanView {
    /// Its short name.
    pub signature: String,
    /// Its kind.
    pub kind: String,
    /// How many spans it lies within.
    pub depth: usize,
    /// Milliseconds after the transaction's start.
    pub start_ms: f64,
    /// Milliseconds.
    pub duration_ms: f64,
    /// Facts such as `sql` and `url`.
    #[schema(value_type = Object)]
    pub extra: Map<String, Value>,
    /// The stack that it was started from, the oldest call first, if an agent sent it.
    #[schema(value_type = Vec<Object>)]
    pub frames: Vec<Frame>,
}

/// Where a sample is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SampleReference {
    /// The transaction's id.
    pub transaction_id: i64,
    /// The sample's id.
    pub sample_id: i64,
}

impl Query {
    /// Returns samples of a transaction.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn samples(
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
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn sample(&self, app: &AppIdentity, transaction: i64, id: i64) -> Result<Option<Sample>, QueryError> {
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
        let parent = self.sample_of(app, context.parent.as_deref().unwrap_or_default()).await?;
        Ok(Some(Sample { summary: row.summary.into(), spans, is_aggregate, parent, context }))
    }

    /// Finds the sample that an agent knows by an id.
    pub(super) async fn sample_of(
        &self,
        app: &AppIdentity,
        external_id: &str,
    ) -> Result<Option<SampleReference>, QueryError> {
        let found = self.store.find_sample(&app.id, external_id).await?;
        Ok(found.map(|(transaction_id, sample_id)| SampleReference { transaction_id, sample_id }))
    }
}

fn view(span: SampleSpan, frames: Vec<Frame>) -> SampleSpanView {
    let SampleSpan { signature, kind, depth, start_ms, duration_ms, extra, frames: own } = span;
    let frames = if own.is_empty() { frames } else { own };
    SampleSpanView { signature, kind, depth, start_ms, duration_ms, extra, frames }
}

impl From<SampleSummaryRow> for SampleSummary {
    fn from(row: SampleSummaryRow) -> Self {
        Self {
            id: row.id,
            happened_at: rfc3339(row.happened_at),
            duration_ms: row.duration_ms,
            result: row.result,
            outcome: row.outcome,
        }
    }
}
