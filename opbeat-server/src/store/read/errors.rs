//! Error groups and their occurrences.

use opbeat_protocol::ErrorBody;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::store::database::Store;
use crate::store::document::unpack;
use crate::store::error::StoreError;

/// The order of groups in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorOrder {
    /// The group of the newest error first.
    LastSeen,
    /// The most frequent group first.
    TimesSeen,
}

/// A group of errors.
#[derive(Clone, Debug)]
pub(crate) struct ErrorGroupRow {
    /// Its id in the store.
    pub(crate) id: i64,
    /// Its number in the app.
    pub(crate) number: i64,
    /// The errors' type, or an empty string.
    pub(crate) type_name: String,
    /// The message of the latest one.
    pub(crate) message: String,
    /// The culprit: the function or the transaction that caused it.
    pub(crate) culprit: String,
    /// The level, such as `error`.
    pub(crate) level: String,
    /// The status, which is always `open` today.
    pub(crate) status: String,
    /// When the first one happened, in microseconds since 1970.
    pub(crate) first_seen: i64,
    /// When the latest one happened, in microseconds since 1970.
    pub(crate) last_seen: i64,
    /// The number of errors.
    pub(crate) times_seen: i64,
}

/// An occurrence without its document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OccurrenceSummary {
    /// Its id in the store.
    pub(crate) id: i64,
    /// When it happened, in microseconds since 1970.
    pub(crate) happened_at: i64,
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
    /// The error as it was reported.
    pub(crate) document: ErrorBody,
}

const COLUMNS: &str = "id, number, type_name, message, culprit, level, status, first_seen, last_seen, times_seen";

impl Store {
    /// Returns some of an app's error groups, and the number of all.
    pub(crate) async fn error_groups(
        &self,
        app_id: &str,
        order: ErrorOrder,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<ErrorGroupRow>, i64), StoreError> {
        let order = match order {
            ErrorOrder::LastSeen => "last_seen DESC",
            ErrorOrder::TimesSeen => "times_seen DESC, last_seen DESC",
        };
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {COLUMNS} FROM error_groups WHERE app_id = "));
        query.push_bind(app_id.to_owned()).push(format!(" ORDER BY status <> 'open', {order} LIMIT "));
        query.push_bind(limit).push(" OFFSET ").push_bind(offset);
        let rows = query.build().fetch_all(&self.readers).await?;
        let total = sqlx::query("SELECT count(*) FROM error_groups WHERE app_id = ?").bind(app_id);
        let total = total.fetch_one(&self.readers).await?.try_get(0)?;
        Ok((rows.iter().map(group).collect::<Result<_, _>>()?, total))
    }

    /// Returns an app's error group by its number.
    pub(crate) async fn error_group(&self, app_id: &str, number: i64) -> Result<Option<ErrorGroupRow>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {COLUMNS} FROM error_groups WHERE app_id = "));
        query.push_bind(app_id.to_owned()).push(" AND number = ").push_bind(number);
        let row = query.build().fetch_optional(&self.readers).await?;
        row.as_ref().map(group).transpose()
    }

    /// Returns the number of a group's errors by minute or hour: pairs of a start in seconds since 1970 and a count.
    pub(crate) async fn error_counts(
        &self,
        group: i64,
        resolution: i64,
        (from, to): (i64, i64),
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows = sqlx::query(
            "SELECT start, count FROM error_rollups
             WHERE group_id = ? AND resolution = ? AND start >= ? AND start < ? ORDER BY start",
        )
        .bind(group)
        .bind(resolution)
        .bind(from)
        .bind(to)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Returns the kept occurrences of a group, the newest first.
    pub(crate) async fn occurrences(&self, group: i64) -> Result<Vec<OccurrenceSummary>, StoreError> {
        let rows =
            sqlx::query("SELECT id, happened_at FROM error_occurrences WHERE group_id = ? ORDER BY id DESC LIMIT 100")
                .bind(group)
                .fetch_all(&self.readers)
                .await?;
        let summary =
            |row: &sqlx::sqlite::SqliteRow| Ok(OccurrenceSummary { id: row.try_get(0)?, happened_at: row.try_get(1)? });
        rows.iter().map(summary).collect()
    }

    /// Returns one occurrence of a group.
    pub(crate) async fn occurrence(&self, group: i64, id: i64) -> Result<Option<OccurrenceRow>, StoreError> {
        let row = sqlx::query(
            "SELECT id, happened_at, transaction_external_id, transaction_name, document
             FROM error_occurrences WHERE group_id = ? AND id = ?",
        )
        .bind(group)
        .bind(id)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(OccurrenceRow {
            id: row.try_get("id")?,
            happened_at: row.try_get("happened_at")?,
            transaction_external_id: row.try_get("transaction_external_id")?,
            transaction_name: row.try_get("transaction_name")?,
            document: unpack(row.try_get("document")?)?,
        }))
    }
}

fn group(row: &sqlx::sqlite::SqliteRow) -> Result<ErrorGroupRow, StoreError> {
    Ok(ErrorGroupRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        type_name: row.try_get("type_name")?,
        message: row.try_get("message")?,
        culprit: row.try_get("culprit")?,
        level: row.try_get("level")?,
        status: row.try_get("status")?,
        first_seen: row.try_get("first_seen")?,
        last_seen: row.try_get("last_seen")?,
        times_seen: row.try_get("times_seen")?,
    })
}
