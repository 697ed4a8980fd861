//! What fails.

use opbeat_protocol::ErrorBody;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AppIdentity, ErrorOrder, Query, QueryError, SampleReference, rfc3339};
use crate::store::read::ErrorGroupRow;

/// Hours that a group's trend shows.
const TREND_HOURS: i64 = 24;

const HOUR: i64 = 3_600;

/// A group of errors.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorSummary {
    /// Its number in the app, shown as E#7.
    pub number: i64,
    /// The errors' type, or an empty string for messages.
    pub type_name: String,
    /// What the latest one says.
    pub message: String,
    /// What is held responsible.
    pub culprit: String,
    /// How bad it is.
    pub level: String,
    /// `open`, by now.
    pub status: String,
    /// When it was seen first, RFC 3339 in UTC.
    pub first_seen: String,
    /// When it was seen last, RFC 3339 in UTC.
    pub last_seen: String,
    /// How often it was seen.
    pub times_seen: i64,
    /// How often in each of the last 24 hours, the earliest first.
    pub trend: Vec<i64>,
}

/// Groups of errors.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorList {
    /// How many there are in all.
    pub total: i64,
    /// Those that were asked for, open ones first.
    pub errors: Vec<ErrorSummary>,
}

/// A group with one of its occurrences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    /// The group.
    #[serde(flatten)]
    pub error: ErrorSummary,
    /// The occurrence that was asked for, or else the newest.
    pub occurrence: Occurrence,
    /// All occurrences that are kept, the newest first.
    pub occurrences: Vec<OccurrenceReference>,
}

/// One occurrence in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OccurrenceReference {
    /// Its id.
    pub id: i64,
    /// When it happened, RFC 3339 in UTC.
    pub happened_at: String,
}

/// One occurrence.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Occurrence {
    /// Its id.
    pub id: i64,
    /// When it happened, RFC 3339 in UTC.
    pub happened_at: String,
    /// The error as it was reported, frames the oldest first.
    #[schema(value_type = Object)]
    pub report: ErrorBody,
    /// The sampled transaction that it ended, if it is kept.
    pub sample: Option<SampleReference>,
}

impl Query {
    /// Returns an app's error groups.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn errors(
        &self,
        app: &AppIdentity,
        order: ErrorOrder,
        (limit, offset): (i64, i64),
        now: i64,
    ) -> Result<ErrorList, QueryError> {
        let (groups, total) = self.store.error_groups(&app.id, order, limit, offset).await?;
        let mut errors = Vec::with_capacity(groups.len());
        for group in groups {
            errors.push(self.summary(group, now).await?);
        }
        Ok(ErrorList { total, errors })
    }

    /// Returns an error group with an occurrence, by default the newest.
    ///
    /// # Errors
    ///
    /// Returns [`QueryError`] if the database fails.
    pub async fn error(
        &self,
        app: &AppIdentity,
        number: i64,
        occurrence: Option<i64>,
        now: i64,
    ) -> Result<Option<ErrorDetail>, QueryError> {
        let Some(group) = self.store.error_group(&app.id, number).await? else { return Ok(None) };
        let occurrences = self.store.occurrences(group.id).await?;
        let Some(id) = occurrence.or_else(|| occurrences.first().map(|newest| newest.id)) else { return Ok(None) };
        let Some(row) = self.store.occurrence(group.id, id).await? else { return Ok(None) };
        let sample = self.sample_of(app, &row.transaction_external_id).await?;
        let occurrence = Occurrence { id: row.id, happened_at: rfc3339(row.happened_at), report: row.document, sample };
        let reference = |row: &crate::store::read::OccurrenceSummary| OccurrenceReference {
            id: row.id,
            happened_at: rfc3339(row.happened_at),
        };
        let occurrences = occurrences.iter().map(reference).collect();
        Ok(Some(ErrorDetail { error: self.summary(group, now).await?, occurrence, occurrences }))
    }

    async fn summary(&self, group: ErrorGroupRow, now: i64) -> Result<ErrorSummary, QueryError> {
        let to = now - now.rem_euclid(HOUR) + HOUR;
        let from = to - TREND_HOURS * HOUR;
        let mut trend = vec![0; TREND_HOURS as usize];
        for (start, count) in self.store.error_counts(group.id, HOUR, (from, to)).await? {
            if let Some(hour) = usize::try_from((start - from) / HOUR).ok().and_then(|hour| trend.get_mut(hour)) {
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
            first_seen: rfc3339(group.first_seen),
            last_seen: rfc3339(group.last_seen),
            times_seen: group.times_seen,
            trend,
        })
    }
}
