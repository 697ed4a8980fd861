//! Error groups and their occurrences.

use opbeat_protocol::ErrorBody;
use opbeat_protocol::read::Notes;

use super::pattern;
use crate::assignment::{Assignee, AssigneeFilter};
use crate::changes::{Grouping, unpack};
use crate::error_status::{Conditions, Status, StatusCounts, StatusFilter};
use crate::store::AssignmentRow;
use crate::store::assignments::{ASSIGNMENT, assignment};
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;
use crate::store::error_status::SHOWN;
use crate::store::marks::Part;

/// The order of groups in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorOrder {
    /// The group of the newest error first.
    LastSeen,
    /// The most frequent group first.
    TimesSeen,
    /// The group with the most users first.
    Users,
}

/// The groups that a list contains.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ErrorFilter<'a> {
    /// Their status, or `None` for all.
    pub(crate) status: Option<StatusFilter>,
    /// A part of their type, message, culprit or level, in any case.
    pub(crate) search: Option<&'a str>,
    /// Their assignee, or `None` for all.
    pub(crate) assignee: Option<&'a AssigneeFilter>,
}

/// Groups by the time at which they were seen, or by their ids.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ErrorGroups<'a> {
    /// Groups that were seen first within a time, in microseconds since 1970; the end is not part of it.
    FirstSeen(i64, i64),
    /// Open groups that were seen last within a time, in microseconds since 1970; the end is not part of it.
    LastSeen(i64, i64),
    /// Groups with an id.
    Ids(&'a [i64]),
}

/// A group of errors.
#[derive(Clone, Debug)]
pub(crate) struct ErrorGroupRow {
    /// Its id in the store.
    pub(crate) id: i64,
    /// Its number in the app.
    pub(crate) number: i64,
    /// The version of the grouping.
    pub(crate) grouping_version: u8,
    /// Why its errors belong together, or `None` if an earlier version of the server did not store it.
    pub(crate) grouping: Option<Grouping>,
    /// The errors' type, or an empty string.
    pub(crate) type_name: String,
    /// The message of the latest one.
    pub(crate) message: String,
    /// The culprit: the function or the transaction that caused it.
    pub(crate) culprit: String,
    /// The level, such as `error`.
    pub(crate) level: String,
    /// The status, and when an error ends it.
    pub(crate) conditions: Conditions,
    /// When it opened again after it was resolved, in microseconds since 1970, if it is open since then.
    pub(crate) regressed_at: Option<i64>,
    /// The person or the team that it is assigned to, with the reason.
    pub(crate) assignment: AssignmentRow,
    /// When the first one happened, in microseconds since 1970.
    pub(crate) first_seen: i64,
    /// When the latest one happened, in microseconds since 1970.
    pub(crate) last_seen: i64,
    /// The number of errors.
    pub(crate) times_seen: i64,
    /// The number of different users; one more than [`MAX_USERS`](crate::store::MAX_USERS) if there are further ones.
    pub(crate) users: i64,
}

/// The number of a group's errors in the time of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErrorCount {
    /// The group's id in the store.
    pub(crate) group: i64,
    /// The start of that time, in seconds since 1970.
    pub(crate) start: i64,
    /// The number of errors.
    pub(crate) count: i64,
}

/// An occurrence without its document.
#[derive(Clone, Debug)]
pub(crate) struct OccurrenceSummary {
    /// Its id in the store.
    pub(crate) id: i64,
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// The name of the transaction in which it happened, or an empty string.
    pub(crate) transaction_name: String,
    /// The key of the user that it happened to.
    pub(crate) user_key: Option<Vec<u8>>,
}

/// One occurrence of an error.
#[derive(Clone, Debug)]
pub(crate) struct OccurrenceRow {
    /// Its id in the store.
    pub(crate) id: i64,
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// The id that the agent gave the transaction in which it happened, or an empty string.
    pub(crate) transaction_external_id: String,
    /// The name of this transaction, or an empty string.
    pub(crate) transaction_name: String,
    /// The id by which users of the application can name it, or an empty string.
    pub(crate) external_id: String,
    /// The changes that intake made in the body.
    pub(crate) notes: Notes,
    /// The error as it was reported, or `None` if the document cannot be read.
    pub(crate) document: Option<ErrorBody>,
}

/// An occurrence, with the group that it belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OccurrenceLocation {
    /// The group's number in the app.
    pub(crate) number: i64,
    /// The occurrence's id in the store.
    pub(crate) occurrence: i64,
}

const COLUMNS: &str = "id, number, substr(fingerprint, 1, 1) AS version, grouping, type_name, message, culprit, level, \
                       status, status_since, after_release, until_time, until_count, regressed_at, first_seen, \
                       last_seen, times_seen, users";

impl Store {
    /// Returns some of an app's error groups that a filter lets through, and the number of all of these.
    pub(crate) async fn error_groups(
        &self,
        app_id: &str,
        filter: ErrorFilter<'_>,
        order: ErrorOrder,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<ErrorGroupRow>, i64), StoreError> {
        let order = match order {
            ErrorOrder::LastSeen => "last_seen DESC, id DESC",
            ErrorOrder::TimesSeen => "times_seen DESC, last_seen DESC, id DESC",
            ErrorOrder::Users => "users DESC, times_seen DESC, last_seen DESC, id DESC",
        };
        let mut select = QueryBuilder::new(format!("SELECT {COLUMNS}, {ASSIGNMENT} FROM error_groups WHERE id IN ("));
        // Only ids are sorted: the texts of thousands of groups are long.
        select.push("SELECT id FROM error_groups WHERE ");
        push_filter(&mut select, app_id, filter);
        select.push(format!(" ORDER BY status <> 'open', {order} LIMIT ")).push_bind(limit);
        select.push(" OFFSET ").push_bind(offset).push(format!(") ORDER BY status <> 'open', {order}"));
        let rows = select.build().read_all(&self.readers).await?;
        let mut total = QueryBuilder::new("SELECT count(*) FROM error_groups WHERE ");
        push_filter(&mut total, app_id, filter);
        let total = total.build().read_one(&self.readers).await?.try_get(0)?;
        Ok((rows.iter().map(group).collect::<Result<_, _>>()?, total))
    }

    /// Returns the numbers of an app's groups by status.
    pub(crate) async fn status_counts(&self, app_id: &str) -> Result<StatusCounts, StoreError> {
        let rows = query(
            "SELECT status, count(*) AS all_of_them, count(regressed_at) AS regressed FROM error_groups
             WHERE app_id = ? AND merged_into IS NULL GROUP BY status",
        )
        .bind(app_id)
        .read_all(&self.readers)
        .await?;
        let mut counts = StatusCounts::default();
        for row in &rows {
            let count: i64 = row.try_get("all_of_them")?;
            match Status::of(row.try_get("status")?) {
                Status::Open => {
                    counts.open += count;
                    counts.regressed += row.try_get::<i64, _>("regressed")?;
                }
                Status::Resolved => counts.resolved += count,
                Status::Muted => counts.muted += count,
            }
        }
        Ok(counts)
    }

    /// Returns some of an app's error groups, the most frequent first, and the number of all of these: those that were
    /// seen first within a time, those that were seen last within it, or those with an id. Times are in microseconds since
    /// 1970.
    pub(crate) async fn error_groups_where(
        &self,
        app_id: &str,
        groups: ErrorGroups<'_>,
        limit: i64,
    ) -> Result<(Vec<ErrorGroupRow>, i64), StoreError> {
        let push = |query: &mut QueryBuilder<'_>| {
            query.push(" FROM error_groups WHERE merged_into IS NULL AND app_id = ").push_bind(app_id.to_owned());
            match groups {
                ErrorGroups::FirstSeen(from, to) => {
                    query.push(" AND first_seen >= ").push_bind(from).push(" AND first_seen < ").push_bind(to);
                }
                ErrorGroups::LastSeen(from, to) => {
                    query.push(" AND status = 'open' AND last_seen >= ").push_bind(from);
                    query.push(" AND last_seen < ").push_bind(to);
                }
                ErrorGroups::Ids(ids) => {
                    query.push(" AND id IN ").push_integers(ids);
                }
            }
        };
        let mut total = QueryBuilder::new("SELECT count(*)");
        push(&mut total);
        let total = total.build().read_one(&self.readers).await?.try_get(0)?;
        let mut select = QueryBuilder::new(format!("SELECT {COLUMNS}, {ASSIGNMENT}"));
        push(&mut select);
        select.push(" ORDER BY times_seen DESC, id LIMIT ").push_bind(limit);
        let rows = select.build().read_all(&self.readers).await?;
        Ok((rows.iter().map(group).collect::<Result<_, _>>()?, total))
    }

    /// Returns an app's error group by its number.
    pub(crate) async fn error_group(&self, app_id: &str, number: i64) -> Result<Option<ErrorGroupRow>, StoreError> {
        let row = query(format!("SELECT {COLUMNS}, {ASSIGNMENT} FROM error_groups WHERE {SHOWN}"))
            .bind(app_id)
            .bind(number)
            .read_optional(&self.readers)
            .await?;
        row.as_ref().map(group).transpose()
    }

    /// Returns the number of errors of an app's groups in rows of a length of time, or shorter ones. Both ends are in
    /// seconds since 1970.
    pub(crate) async fn error_counts(
        &self,
        app_id: &str,
        groups: &[i64],
        resolution: i64,
        (from, to): (i64, i64),
    ) -> Result<Vec<ErrorCount>, StoreError> {
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let parts = self.marks(app_id).await?.parts(resolution, (from, to));
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = QueryBuilder::new("");
        let mut separator = "";
        for Part { resolution, from, to } in parts {
            select.push(separator).push(
                "SELECT error_rollups.group_id, error_rollups.start, error_rollups.count
                 FROM error_groups JOIN error_rollups ON error_rollups.group_id = error_groups.id
                 WHERE error_rollups.resolution = ",
            );
            select.push_bind(resolution).push(" AND error_rollups.start >= ").push_bind(from);
            select.push(" AND error_rollups.start < ").push_bind(to);
            select.push(" AND error_groups.app_id = ").push_bind(app_id.to_owned());
            select.push(" AND error_groups.id IN ").push_integers(groups);
            separator = " UNION ALL ";
        }
        let rows = select.build().read_all(&self.readers).await?;
        let count =
            |row: &Row<'_>| Ok(ErrorCount { group: row.try_get(0)?, start: row.try_get(1)?, count: row.try_get(2)? });
        rows.iter().map(count).collect()
    }

    /// Returns the kept occurrences of a group and of those that are merged into it, the newest first.
    pub(crate) async fn occurrences(&self, group: i64) -> Result<Vec<OccurrenceSummary>, StoreError> {
        let rows = query(
            "SELECT id, happened_at, transaction_name, user_key FROM error_occurrences
             WHERE group_id IN (SELECT id FROM error_groups WHERE id = ?1 OR merged_into = ?1)
             ORDER BY happened_at DESC, id DESC LIMIT 100",
        )
        .bind(group)
        .read_all(&self.readers)
        .await?;
        let summary = |row: &Row<'_>| {
            Ok(OccurrenceSummary {
                id: row.try_get("id")?,
                happened_at: row.try_get("happened_at")?,
                transaction_name: row.try_get("transaction_name")?,
                user_key: row.try_get("user_key")?,
            })
        };
        rows.iter().map(summary).collect()
    }

    /// Returns one occurrence of a group, or of one that is merged into it.
    pub(crate) async fn occurrence(&self, group: i64, id: i64) -> Result<Option<OccurrenceRow>, StoreError> {
        let row = query(
            "SELECT id, happened_at, transaction_external_id, transaction_name, client_supplied_id, notes, document
             FROM error_occurrences
             WHERE group_id IN (SELECT id FROM error_groups WHERE id = ?1 OR merged_into = ?1) AND id = ?2",
        )
        .bind(group)
        .bind(id)
        .read_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let document = unpack(row.try_get("document")?);
        let document = document.inspect_err(|error| tracing::error!(%error, id, "the document of an error is damaged"));
        Ok(Some(OccurrenceRow {
            id: row.try_get("id")?,
            happened_at: row.try_get("happened_at")?,
            transaction_external_id: row.try_get("transaction_external_id")?,
            transaction_name: row.try_get("transaction_name")?,
            external_id: row.try_get("client_supplied_id")?,
            notes: serde_json::from_str(row.try_get("notes")?).unwrap_or_default(),
            document: document.ok(),
        }))
    }

    /// Finds the newest occurrence of an app's errors with an id of the application.
    pub(crate) async fn find_occurrence(
        &self,
        app_id: &str,
        external_id: &str,
    ) -> Result<Option<OccurrenceLocation>, StoreError> {
        if external_id.is_empty() {
            return Ok(None);
        }
        let row = query(
            "SELECT coalesce((SELECT shown.number FROM error_groups AS shown WHERE shown.id = error_groups.merged_into),
                             error_groups.number), error_occurrences.id
             FROM error_occurrences JOIN error_groups ON error_groups.id = error_occurrences.group_id
             WHERE error_occurrences.client_supplied_id = ? AND error_occurrences.client_supplied_id <> ''
               AND error_groups.app_id = ?
             ORDER BY error_occurrences.happened_at DESC, error_occurrences.id DESC LIMIT 1",
        )
        .bind(external_id)
        .bind(app_id)
        .read_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(OccurrenceLocation { number: row.try_get(0)?, occurrence: row.try_get(1)? }))
    }
}

fn push_filter(query: &mut QueryBuilder<'_>, app_id: &str, filter: ErrorFilter<'_>) {
    query.push("merged_into IS NULL AND app_id = ").push_bind(app_id.to_owned());
    query.push(match filter.status {
        None => "",
        Some(StatusFilter::Open) => " AND status = 'open'",
        Some(StatusFilter::Regressed) => " AND status = 'open' AND regressed_at IS NOT NULL",
        Some(StatusFilter::Resolved) => " AND status = 'resolved'",
        Some(StatusFilter::Muted) => " AND status = 'muted'",
    });
    match filter.assignee {
        None => {}
        Some(AssigneeFilter::Of(Assignee::Person(id))) => {
            query.push(" AND assignee_id = ").push_bind(id.clone());
        }
        Some(AssigneeFilter::Of(Assignee::Team(id))) => {
            query.push(" AND assignee_team = ").push_bind(*id);
        }
        Some(AssigneeFilter::Nobody) => {
            query.push(" AND assignee_id IS NULL AND assignee_team IS NULL");
        }
    }
    if let Some(search) = filter.search {
        query.push(" AND lower(type_name || ' ' || message || ' ' || culprit || ' ' || level) LIKE ");
        query.push_bind(pattern(search)).push(" ESCAPE '\\'");
    }
}

fn group(row: &Row<'_>) -> Result<ErrorGroupRow, StoreError> {
    let version: &[u8] = row.try_get("version")?;
    Ok(ErrorGroupRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        grouping_version: version.first().copied().unwrap_or_default(),
        grouping: serde_json::from_str(row.try_get("grouping")?).ok(),
        type_name: row.try_get("type_name")?,
        message: row.try_get("message")?,
        culprit: row.try_get("culprit")?,
        level: row.try_get("level")?,
        conditions: Conditions {
            status: Status::of(row.try_get("status")?),
            since: row.try_get("status_since")?,
            after_release: row.try_get("after_release")?,
            until_time: row.try_get("until_time")?,
            until_count: row.try_get("until_count")?,
        },
        regressed_at: row.try_get("regressed_at")?,
        assignment: assignment(row)?,
        first_seen: row.try_get("first_seen")?,
        last_seen: row.try_get("last_seen")?,
        times_seen: row.try_get("times_seen")?,
        users: row.try_get("users")?,
    })
}
