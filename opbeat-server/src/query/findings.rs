//! Transactions that became slower after a release.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{AppIdentity, Query, QueryError};
use crate::store::{FindingRow, FindingsOf};

/// The largest number of findings in an answer.
const MAX_FINDINGS: i64 = 100;

/// A transaction that takes longer since a release.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The release's number in the app, shown as R#7.
    pub(crate) release: i64,
    /// The finding in a sentence. Names are between backticks.
    pub(crate) sentence: String,
    /// The kind of the change.
    pub(crate) kind: FindingKind,
    /// Whether the change is far beyond its error.
    pub(crate) is_certain: bool,
    /// The 95th percentile of the durations before the release, in milliseconds.
    pub(crate) p95_before_ms: f64,
    /// The 95th percentile of the durations since the release, in milliseconds.
    pub(crate) p95_after_ms: f64,
    /// The minutes from the release to the latest look at the transaction that saw it.
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
    /// Returns the findings without those of the same transaction after an earlier release.
    pub(crate) fn newest_of_each(self) -> Vec<Finding> {
        let mut newest: HashMap<i64, i64> = HashMap::new();
        for finding in &self.findings {
            let release = newest.entry(finding.transaction).or_insert(finding.release);
            *release = finding.release.max(*release);
        }
        self.findings.into_iter().filter(|finding| newest.get(&finding.transaction) == Some(&finding.release)).collect()
    }
}

impl From<FindingRow> for Finding {
    fn from(row: FindingRow) -> Self {
        Self {
            transaction: row.transaction,
            release: row.release,
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
