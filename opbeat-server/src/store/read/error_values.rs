//! The users that the errors of a group happened to, and the transactions that they happened in.

use crate::store::database::Store;
use crate::store::engine::{Row, query};
use crate::store::error::StoreError;
use crate::store::error_values::List;

/// A user or a transaction of a group.
#[derive(Clone, Debug)]
pub(crate) struct ErrorValueRow {
    /// The key; empty for all values beyond the cap.
    pub(crate) key: Vec<u8>,
    /// The user's names as JSON, or an empty string if they are forgotten; or the transaction's name.
    pub(crate) value: String,
    /// The number of reports.
    pub(crate) count: i64,
    /// When the latest one happened, in microseconds since 1970.
    pub(crate) last_seen: i64,
}

/// The values of a group's list.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorValues {
    /// The number of different ones, without those beyond the cap.
    pub(crate) total: i64,
    /// The number of those that were seen since a time.
    pub(crate) recent: i64,
    /// The number of reports with values beyond the cap.
    pub(crate) others: i64,
    /// Those with the most reports, without those beyond the cap.
    pub(crate) rows: Vec<ErrorValueRow>,
}

/// The rows of a group and of those that are merged into it.
const ROWS: &str =
    "error_values WHERE group_id IN (SELECT id FROM error_groups WHERE id = ?1 OR merged_into = ?1) AND list = ?2";

impl Store {
    /// Returns the users or the transactions of a group and of those that are merged into it. `since` is in microseconds
    /// since 1970.
    pub(crate) async fn error_values(
        &self,
        group: i64,
        list: List,
        since: i64,
        limit: i64,
    ) -> Result<ErrorValues, StoreError> {
        let sums = query(format!(
            "SELECT count(DISTINCT CASE WHEN length(key) > 0 THEN key END) AS total,
                    count(DISTINCT CASE WHEN length(key) > 0 AND last_seen >= ?3 THEN key END) AS recent,
                    CAST(coalesce(sum(CASE WHEN length(key) > 0 THEN 0 ELSE count END), 0) AS BIGINT) AS others
             FROM {ROWS}"
        ))
        .bind(group)
        .bind(list.name())
        .bind(since)
        .read_one(&self.readers)
        .await?;
        // The names that a merged group has of the same user can be older or forgotten; one of them is shown.
        let rows = query(format!(
            "SELECT key, max(value) AS value, CAST(sum(count) AS BIGINT) AS count, max(last_seen) AS last_seen
             FROM {ROWS} AND length(key) > 0 GROUP BY key ORDER BY sum(count) DESC, max(last_seen) DESC, key LIMIT ?3"
        ))
        .bind(group)
        .bind(list.name())
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let row = |row: &Row<'_>| {
            Ok(ErrorValueRow {
                key: row.try_get("key")?,
                value: row.try_get("value")?,
                count: row.try_get("count")?,
                last_seen: row.try_get("last_seen")?,
            })
        };
        Ok(ErrorValues {
            total: sums.try_get("total")?,
            recent: sums.try_get("recent")?,
            others: sums.try_get("others")?,
            rows: rows.iter().map(row).collect::<Result<_, StoreError>>()?,
        })
    }
}
