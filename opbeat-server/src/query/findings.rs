//! Transactions that became slower after a release, or without one.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{AppIdentity, Query, QueryError};
use crate::store::{FindingRow, FindingsOf, Since};

/// The largest number of findings in an answer.
const MAX_FINDINGS: i64 = 100;

/// A transaction that takes longer since a release, or since a time without one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The release's number in the app, shown as R#7; null for a change without a release.
    pub(crate) release: Option<i64>,
    /// About when a change without a release began, RFC 3339 in UTC.
    #[schema(value_type = Option<String>)]
    pub(crate) began_at: Option<Timestamp>,
    /// When a change without a release was seen to be over, or was explained by a release, RFC 3339 in UTC.
    #[schema(value_type = Option<String>)]
    pub(crate) ended_at: Option<Timestamp>,
    /// The number of the release that explained a change afterwards.
    pub(crate) explained_by: Option<i64>,
    /// The finding in a sentence. Names are between backticks.
    pub(crate) sentence: String,
    /// The kind of the change.
    pub(crate) kind: FindingKind,
    /// Whether the change is far beyond its error.
    pub(crate) is_certain: bool,
    /// The 95th percentile of the durations before the change, in milliseconds.
    pub(crate) p95_before_ms: f64,
    /// The 95th percentile of the durations since the change, in milliseconds.
    pub(crate) p95_after_ms: f64,
    /// The minutes after the release in which the latest look saw it; of a change without a release, the minutes that the first
    /// look compared.
    pub(crate) minutes: i64,
    /// The time of the first look that saw it, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) found_at: Timestamp,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FindingKind {
    /// Requests became slower.
    Slower,
    /// Slow requests became more frequent.
    MixChanged,
}

/// Findings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FindingList {
    /// At most 100 findings, the newest first.
    pub(crate) findings: Vec<Finding>,
}

impl Query {
    /// Returns findings about an app's transactions, the newest first.
    pub(crate) async fn findings(&self, app: &AppIdentity, of: FindingsOf) -> Result<FindingList, QueryError> {
        let rows = self.store.findings(&app.id, of, MAX_FINDINGS).await?;
        Ok(FindingList { findings: rows.into_iter().map(Into::into).collect() })
    }
}

impl FindingList {
    /// Returns the findings without those of the same transaction after an earlier release, and without changes that are over.
    pub(crate) fn newest_of_each(self) -> Vec<Finding> {
        let mut newest: HashMap<i64, i64> = HashMap::new();
        for (transaction, number) in
            self.findings.iter().filter_map(|finding| Some((finding.transaction, finding.release?)))
        {
            let release = newest.entry(transaction).or_insert(number);
            *release = number.max(*release);
        }
        let is_newest = |finding: &Finding| match finding.release {
            Some(_) => newest.get(&finding.transaction).copied() == finding.release,
            None => finding.ended_at.is_none(),
        };
        self.findings.into_iter().filter(is_newest).collect()
    }
}

impl From<FindingRow> for Finding {
    fn from(row: FindingRow) -> Self {
        let (release, change) = match row.since {
            Since::Release(number) => (Some(number), None),
            Since::Time(change) => (None, Some(change)),
        };
        Self {
            transaction: row.transaction,
            release,
            began_at: change.as_ref().map(|change| from_micros(change.began_at)),
            ended_at: change.as_ref().and_then(|change| change.ended_at).map(from_micros),
            explained_by: change.and_then(|change| change.explained_by),
            sentence: row.sentence,
            kind: if row.is_mix { FindingKind::MixChanged } else { FindingKind::Slower },
            is_certain: row.is_certain,
            p95_before_ms: row.before_ms,
            p95_after_ms: row.after_ms,
            minutes: row.minutes,
            found_at: from_micros(row.found_at),
        }
    }
}
