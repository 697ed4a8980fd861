//! Error groups and their occurrences.

use jiff::Timestamp;
use opbeat_protocol::{ErrorBody, TransactionReference};
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{AppIdentity, ErrorOrder, Query, QueryError, SampleReference};
use crate::store::read::{ErrorGroupRow, OccurrenceSummary};

/// The hours that a group's trend covers.
const TREND_HOURS: i64 = 24;

const HOUR_SECONDS: i64 = 3_600;

/// A group of similar errors.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ErrorSummary {
    /// Its number in the app, shown as E#7.
    pub(crate) number: i64,
    /// The errors' type, or an empty string for plain messages.
    pub(crate) type_name: String,
    /// The message of the latest occurrence.
    pub(crate) message: String,
    /// The culprit: the function or request that the error is attributed to.
    pub(crate) culprit: String,
    /// The severity, such as `error` or `warning`.
    pub(crate) level: String,
    /// The status; for now always `open`.
    pub(crate) status: String,
    /// The time of the first occurrence, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) first_seen: Timestamp,
    /// The time of the last occurrence, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) last_seen: Timestamp,
    /// The number of occurrences.
    pub(crate) times_seen: i64,
    /// The number of occurrences in each of the last 24 hours, the earliest first.
    pub(crate) trend: Vec<i64>,
}

/// Groups of errors.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ErrorList {
    /// The number of all groups of the app.
    pub(crate) total: i64,
    /// The requested part of the list, open groups first.
    pub(crate) errors: Vec<ErrorSummary>,
}

/// A group with one of its occurrences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// The group.
    #[serde(flatten)]
    pub(crate) error: ErrorSummary,
    /// The requested occurrence, by default the newest.
    pub(crate) occurrence: Occurrence,
    /// All occurrences that are kept, the newest first.
    pub(crate) occurrences: Vec<OccurrenceReference>,
}

/// One occurrence in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OccurrenceReference {
    /// Its id.
    pub(crate) id: i64,
    /// The time of the error, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) happened_at: Timestamp,
}

/// One occurrence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Occurrence {
    /// Its id.
    pub(crate) id: i64,
    /// The time of the error, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) happened_at: Timestamp,
    /// The error as it was reported, the oldest frame first.
    #[schema(value_type = Object)]
    pub(crate) report: ErrorBody,
    /// The sample of the transaction in which it occurred, if one is kept.
    pub(crate) sample: Option<SampleReference>,
}

impl Query {
    /// Returns an app's error groups.
    pub(crate) async fn errors(
        &self,
        app: &AppIdentity,
        order: ErrorOrder,
        (limit, offset): (i64, i64),
        now: Timestamp,
    ) -> Result<ErrorList, QueryError> {
        let (groups, total) = self.store.error_groups(&app.id, order, limit, offset).await?;
        let mut errors = Vec::with_capacity(groups.len());
        for group in groups {
            errors.push(self.error_summary(group, now).await?);
        }
        Ok(ErrorList { total, errors })
    }

    /// Returns an error group with an occurrence, by default the newest.
    pub(crate) async fn error(
        &self,
        app: &AppIdentity,
        number: i64,
        occurrence: Option<i64>,
        now: Timestamp,
    ) -> Result<Option<ErrorDetail>, QueryError> {
        let Some(group) = self.store.error_group(&app.id, number).await? else { return Ok(None) };
        let occurrences = self.store.occurrences(group.id).await?;
        let Some(id) = occurrence.or_else(|| occurrences.first().map(|newest| newest.id)) else { return Ok(None) };
        let Some(row) = self.store.occurrence(group.id, id).await? else { return Ok(None) };
        let sample = self.find_sample(app, &row.transaction_external_id).await?;
        let mut report = row.document;
        // The transaction of an error that OpenTelemetry sent is known only after the error was stored.
        if report.transaction.is_none() && !row.transaction_name.is_empty() {
            let (id, name) = (Some(row.transaction_external_id), row.transaction_name);
            report.transaction = Some(TransactionReference { id, name, ..TransactionReference::default() });
        }
        let occurrence = Occurrence { id: row.id, happened_at: from_micros(row.happened_at), report, sample };
        let reference =
            |row: &OccurrenceSummary| OccurrenceReference { id: row.id, happened_at: from_micros(row.happened_at) };
        let occurrences = occurrences.iter().map(reference).collect();
        Ok(Some(ErrorDetail { error: self.error_summary(group, now).await?, occurrence, occurrences }))
    }

    async fn error_summary(&self, group: ErrorGroupRow, now: Timestamp) -> Result<ErrorSummary, QueryError> {
        let now = now.as_second();
        let to = now - now.rem_euclid(HOUR_SECONDS) + HOUR_SECONDS;
        let from = to - TREND_HOURS * HOUR_SECONDS;
        let mut trend = vec![0; TREND_HOURS as usize];
        for (start, count) in self.store.error_counts(group.id, HOUR_SECONDS, (from, to)).await? {
            let hour = usize::try_from((start - from) / HOUR_SECONDS).ok();
            if let Some(hour) = hour.and_then(|hour| trend.get_mut(hour)) {
                *hour += count;
            }
        }
        Ok(ErrorSummary {
            number: group.number,
            type_name: group.type_name,
            message: group.message,
            culprit: group.culprit,
            level: group.level,
            status: group.status,
            first_seen: from_micros(group.first_seen),
            last_seen: from_micros(group.last_seen),
            times_seen: group.times_seen,
            trend,
        })
    }
}
