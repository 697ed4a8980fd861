//! Error groups and their occurrences.

use std::collections::BTreeMap;

use jiff::Timestamp;
use opbeat_protocol::read::{Note, Oddity};
use opbeat_protocol::{ErrorBody, TransactionReference};
use serde::Serialize;
use utoipa::ToSchema;

use super::affected::{self, AffectedTransactions, AffectedUsers};
use super::assignments::{self, AssigneeView, AssignmentView};
use super::grouping::{GroupingView, grouping};
use super::merges::MergedError;
use super::time::from_micros;
use super::{AppIdentity, ErrorFilter, ErrorOrder, Query, QueryError, SampleReference};
use crate::assignment::AssignedBy;
use crate::error_status::{Event, Status, StatusCounts};
use crate::store::ActivityRow;
use crate::store::read::{ErrorGroupRow, ErrorGroups, OccurrenceLocation, OccurrenceRow, OccurrenceSummary};
use crate::text::shortened;

/// The maximum length of a message in a list, in characters.
const MAX_LISTED_MESSAGE: usize = 300;

/// The maximum length of a type or a culprit in a list, in characters.
const MAX_LISTED_NAME: usize = 200;

/// The largest number of groups in a list of a release.
const MAX_PART: i64 = 50;

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
    /// The status.
    pub(crate) status: Status,
    /// When it got this status, RFC 3339 in UTC; `null` if it is open since its first occurrence.
    #[schema(value_type = Option<String>)]
    pub(crate) status_since: Option<Timestamp>,
    /// The conditions that end a status other than `open`.
    pub(crate) ends: StatusEnds,
    /// When it opened again after it was resolved, RFC 3339 in UTC, if it is open since then.
    #[schema(value_type = Option<String>)]
    pub(crate) regressed_at: Option<Timestamp>,
    /// The person or the team that it is assigned to; `null` for nobody.
    pub(crate) assignee: Option<AssigneeView>,
    /// The time of the first occurrence, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) first_seen: Timestamp,
    /// The time of the last occurrence, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) last_seen: Timestamp,
    /// The number of occurrences.
    pub(crate) times_seen: i64,
    /// The number of different users that it happened to, at most 1,000. Errors without a user do not count.
    pub(crate) users: i64,
    /// Whether there are more than 1,000 users.
    pub(crate) has_more_users: bool,
    /// The number of occurrences in each of the last 24 hours, the earliest first.
    pub(crate) trend: Vec<i64>,
}

/// The conditions that end the status of a group which is not open.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct StatusEnds {
    /// The number of a release: an error of a later one ends it. Errors of others do not open a group that was resolved
    /// in the next release.
    pub(crate) after_release: Option<i64>,
    /// The time after which an error ends it, RFC 3339 in UTC.
    #[schema(value_type = Option<String>)]
    pub(crate) time: Option<Timestamp>,
    /// The number of occurrences, with all before, at which it ends.
    pub(crate) times_seen: Option<i64>,
}

/// An event of a group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ActivityView {
    /// When it happened, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) happened_at: Timestamp,
    /// The name of the token that was used; `null` for an event by the server itself, and empty for a token without a name.
    pub(crate) actor: Option<String>,
    /// The event.
    #[serde(flatten)]
    pub(crate) event: Event,
}

/// Groups of errors.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ErrorList {
    /// The number of all groups that match the filters.
    pub(crate) total: i64,
    /// The numbers of all groups of the app, by status.
    pub(crate) counts: StatusCounts,
    /// The requested part of the list, open groups first.
    pub(crate) errors: Vec<ErrorSummary>,
}

/// Errors of a release, and their number.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ErrorPart {
    /// The number of all of them.
    pub(crate) total: i64,
    /// The most frequent ones.
    pub(crate) errors: Vec<ErrorSummary>,
}

/// A group with one of its occurrences.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ErrorDetail {
    /// The group.
    #[serde(flatten)]
    pub(crate) error: ErrorSummary,
    /// Why it is assigned, or not.
    pub(crate) assignment: AssignmentView,
    /// Why its occurrences belong together.
    pub(crate) grouping: GroupingView,
    /// The requested occurrence, by default the newest.
    pub(crate) occurrence: Occurrence,
    /// All occurrences that are kept, the newest first.
    pub(crate) occurrences: Vec<OccurrenceReference>,
    /// The newest 200 events, the newest first.
    pub(crate) activity: Vec<ActivityView>,
    /// The errors that are merged into it, whose occurrences it has.
    pub(crate) merged: Vec<MergedError>,
    /// The users that it happened to.
    pub(crate) affected_users: AffectedUsers,
    /// The transactions that it happened in.
    pub(crate) affected_transactions: AffectedTransactions,
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
    /// The id by which users of the application can name it, or an empty string.
    pub(crate) external_id: String,
    /// The time at which the error is counted, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) happened_at: Timestamp,
    /// The time that the agent sent, if the error is counted by its receipt instead: the agent's time is in the future,
    /// or older than 30 days.
    #[schema(value_type = Option<String>)]
    pub(crate) claimed_at: Option<Timestamp>,
    /// The error as it was reported, the oldest frame first. `null` if it cannot be read.
    #[schema(value_type = Object)]
    pub(crate) report: Option<ErrorBody>,
    /// The changes that the server made in the report, because the protocol does not allow the values.
    pub(crate) notes: Vec<NoteView>,
    /// The sample of the transaction in which it occurred, if one is kept.
    pub(crate) sample: Option<SampleReference>,
}

/// A change that the server made in a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct NoteView {
    /// The reason, such as `too_long`.
    #[schema(value_type = String)]
    pub(crate) reason: Oddity,
    /// The reason and the change in one sentence.
    pub(crate) explanation: &'static str,
    /// The number of changed values.
    pub(crate) count: u64,
    /// The first of them, such as `stacktrace.frames[0].lineno`; empty for the report as a whole.
    pub(crate) path: String,
}

impl Query {
    /// Returns an app's error groups, with shortened texts.
    pub(crate) async fn errors(
        &self,
        app: &AppIdentity,
        filter: ErrorFilter<'_>,
        order: ErrorOrder,
        (limit, offset): (i64, i64),
        now: Timestamp,
    ) -> Result<ErrorList, QueryError> {
        let (groups, total) = self.store.error_groups(&app.id, filter, order, limit, offset).await?;
        let counts = self.store.status_counts(&app.id).await?;
        Ok(ErrorList { total, counts, errors: self.listed(app, groups, now).await? })
    }

    /// Returns some error groups of a release, with shortened texts.
    pub(super) async fn error_part(
        &self,
        app: &AppIdentity,
        groups: ErrorGroups<'_>,
        now: Timestamp,
    ) -> Result<ErrorPart, QueryError> {
        let (groups, total) = self.store.error_groups_where(&app.id, groups, MAX_PART).await?;
        Ok(ErrorPart { total, errors: self.listed(app, groups, now).await? })
    }

    /// Returns groups as a list shows them, with shortened texts.
    async fn listed(
        &self,
        app: &AppIdentity,
        groups: Vec<ErrorGroupRow>,
        now: Timestamp,
    ) -> Result<Vec<ErrorSummary>, QueryError> {
        let ids: Vec<i64> = groups.iter().map(|group| group.id).collect();
        let mut trends = self.trends(app, &ids, now).await?;
        let listed = |group: ErrorGroupRow| {
            let trend = trends.remove(&group.id).unwrap_or_else(no_trend);
            let mut error = summary(group, trend);
            error.message = shortened(&error.message, MAX_LISTED_MESSAGE);
            error.type_name = shortened(&error.type_name, MAX_LISTED_NAME);
            error.culprit = shortened(&error.culprit, MAX_LISTED_NAME);
            error
        };
        Ok(groups.into_iter().map(listed).collect())
    }

    /// Returns an error group with an occurrence, by default the newest. The number of a merged one stands for the error that it
    /// is merged into.
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
        let activity = self.store.activities(group.id).await?;
        let merged = self.store.merged_errors(group.id).await?;
        let since = trend_hours(now).0.saturating_mul(1_000_000);
        let (affected_users, affected_transactions) = self.affected(group.id, &occurrences, since).await?;
        let reference =
            |row: &OccurrenceSummary| OccurrenceReference { id: row.id, happened_at: from_micros(row.happened_at) };
        let trend = self.trends(app, &[group.id], now).await?.remove(&group.id).unwrap_or_else(no_trend);
        Ok(Some(ErrorDetail {
            assignment: assignments::views(group.assignment.clone()).1,
            grouping: grouping(group.grouping_version, group.grouping.clone()),
            error: summary(group, trend),
            occurrence: self::occurrence(row, sample),
            occurrences: occurrences.iter().map(reference).collect(),
            activity: activity.into_iter().map(activity_view).collect(),
            merged: merged.into_iter().map(Into::into).collect(),
            affected_users,
            affected_transactions,
        }))
    }

    /// Finds the newest occurrence with the id that the application shows to its users.
    pub(crate) async fn find_error(
        &self,
        app: &AppIdentity,
        external_id: &str,
    ) -> Result<Option<OccurrenceLocation>, QueryError> {
        self.store.find_occurrence(&app.id, external_id).await
    }

    /// Returns the numbers of the errors of groups in each of the last hours, by the groups' ids.
    async fn trends(
        &self,
        app: &AppIdentity,
        groups: &[i64],
        now: Timestamp,
    ) -> Result<BTreeMap<i64, Vec<i64>>, QueryError> {
        let (from, to) = trend_hours(now);
        let mut trends: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for row in self.store.error_counts(&app.id, groups, HOUR_SECONDS, (from, to)).await? {
            let trend = trends.entry(row.group).or_insert_with(no_trend);
            let hour = usize::try_from((row.start - from) / HOUR_SECONDS).ok();
            if let Some(hour) = hour.and_then(|hour| trend.get_mut(hour)) {
                *hour = hour.saturating_add(row.count);
            }
        }
        Ok(trends)
    }
}

/// Returns the start and the end of a trend, in seconds since 1970.
fn trend_hours(now: Timestamp) -> (i64, i64) {
    let now = now.as_second();
    let to = now - now.rem_euclid(HOUR_SECONDS) + HOUR_SECONDS;
    (to - TREND_HOURS * HOUR_SECONDS, to)
}

fn activity_view(row: ActivityRow) -> ActivityView {
    let is_by_server = match row.event {
        Event::Created { .. } | Event::Regressed { .. } | Event::Spiked { .. } | Event::Unmuted { .. } => true,
        Event::Assigned { by, .. } => by != AssignedBy::Person,
        _ => false,
    };
    ActivityView {
        happened_at: from_micros(row.happened_at),
        actor: (!is_by_server).then_some(row.actor),
        event: row.event,
    }
}

fn no_trend() -> Vec<i64> {
    vec![0; TREND_HOURS as usize]
}

fn summary(group: ErrorGroupRow, trend: Vec<i64>) -> ErrorSummary {
    let (users, has_more_users) = affected::counted(group.users);
    ErrorSummary {
        number: group.number,
        type_name: group.type_name,
        message: group.message,
        culprit: group.culprit,
        level: group.level,
        status: group.conditions.status,
        status_since: Some(group.conditions.since).filter(|since| *since > 0).map(from_micros),
        ends: StatusEnds {
            after_release: group.conditions.after_release,
            time: group.conditions.until_time.map(from_micros),
            times_seen: group.conditions.until_count,
        },
        regressed_at: group.regressed_at.map(from_micros),
        assignee: assignments::views(group.assignment).0,
        first_seen: from_micros(group.first_seen),
        last_seen: from_micros(group.last_seen),
        times_seen: group.times_seen,
        users,
        has_more_users,
        trend,
    }
}

fn occurrence(row: OccurrenceRow, sample: Option<SampleReference>) -> Occurrence {
    let claimed = row.document.as_ref().and_then(|report| report.timestamp).map(|claimed| claimed.micros());
    let view = |note: &Note| NoteView {
        reason: note.oddity,
        explanation: note.oddity.explanation(),
        count: note.count,
        path: note.path.clone(),
    };
    let mut report = row.document;
    // The transaction of an error that OpenTelemetry sent is known only after the error was stored.
    if let Some(report) = &mut report
        && report.transaction.is_none()
        && !row.transaction_name.is_empty()
    {
        let (id, name) = (Some(row.transaction_external_id), row.transaction_name);
        report.transaction = Some(TransactionReference { id, name, ..TransactionReference::default() });
    }
    Occurrence {
        id: row.id,
        external_id: row.external_id,
        happened_at: from_micros(row.happened_at),
        claimed_at: claimed.filter(|claimed| *claimed != row.happened_at).map(from_micros),
        notes: row.notes.iter().map(view).collect(),
        report,
        sample,
    }
}
