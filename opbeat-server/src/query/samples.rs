//! Sampled transactions.

use jiff::Timestamp;
use opbeat_protocol::SampleContext;
use serde::Serialize;
use utoipa::ToSchema;

use super::spans::SampleSpanView;
use super::time::from_micros;
use super::trace::{SampleReference, TraceSample};
use super::{AppIdentity, Query, QueryError, Range, SampleOrder};
use crate::changes::SampleDocument;
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

    /// Finds a sample by the id that the agent gave its transaction.
    pub(crate) async fn find_sample(
        &self,
        app: &AppIdentity,
        external_id: &str,
    ) -> Result<Option<SampleReference>, QueryError> {
        let found = self.store.find_sample(&app.id, external_id).await?;
        Ok(found.map(|(transaction_id, sample_id)| SampleReference { transaction_id, sample_id }))
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
