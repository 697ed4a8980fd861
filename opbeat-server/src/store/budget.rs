//! Keeps the documents of an app within its budget of disk space.

use super::database::Store;
use super::engine::{Connection, Engine, QueryBuilder, Value, query};
use super::error::StoreError;
use super::expiry::{CHUNK, IS_REPETITION};
use super::locks::is_first;
use super::locks::lock_app;
use super::rollups::write_drops;
use crate::changes::DropKey;

/// The reason under which removed samples and occurrences are counted as dropped.
const REASON: &str = "disk_budget";

/// The number of transactions or groups whose documents are measured at once.
const MEASURED: usize = 200;

/// The number of rows that one pass over the documents of an app finds: some megabytes of ids.
const PASS: usize = 500_000;

/// The number of free pages that a file of SQLite keeps for new rows: 16 MiB.
const FREE_PAGES: i64 = 4_096;

/// The number of pages that one transaction returns to the system.
const RETURNED_PAGES: i64 = 1_024;

/// The tables with documents, in the order in which they are removed: table, its owner, the column with the owner's id,
/// and the condition of the rows that may be removed.
const TABLES: [(&str, &str, &str, &str); 2] = [
    ("samples", "transactions", "transaction_id", "1 = 1"),
    ("error_occurrences", "error_groups", "group_id", IS_REPETITION),
];

impl Store {
    /// Removes samples of an app, and then occurrences of errors that repeat others, the oldest first, until all of its
    /// documents fit into a number of bytes. They count as dropped. `now` is in microseconds since 1970.
    pub(super) async fn keep_budget(&self, app_id: &str, bytes: i64, now: i64) -> Result<(), StoreError> {
        let mut size = 0_i64;
        for (table, owners, owner, _) in TABLES {
            size = size.saturating_add(self.size_of(app_id, (table, owners, owner)).await?);
        }
        let mut excess = size.saturating_sub(bytes);
        for table in TABLES {
            // A pass sorts the documents of the app once, and finds as many as fit into some memory.
            while excess > 0 {
                let oldest = self.oldest(app_id, table, excess).await?;
                if oldest.is_empty() {
                    break;
                }
                for rows in oldest.chunks(CHUNK as usize) {
                    let (app, rows) = (app_id.to_owned(), rows.to_vec());
                    let remove = move |connection: &mut Connection| remove(connection, app, table.0, &rows, now);
                    match self.write(remove).await? {
                        // Another process removes rows.
                        None => return Ok(()),
                        Some(freed) => excess = excess.saturating_sub(freed),
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the oldest rows of an app that may be removed, with the sizes of their documents, until they free an excess
    /// of bytes.
    async fn oldest(
        &self,
        app_id: &str,
        (table, owners, owner, condition): (&'static str, &str, &str, &str),
        excess: i64,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let oldest = format!(
            "SELECT {table}.id, length({table}.document) FROM {table} JOIN {owners} ON {owners}.id = {table}.{owner}
             WHERE {owners}.app_id = ? AND {condition} ORDER BY {table}.id LIMIT {PASS}"
        );
        let app_id = app_id.to_owned();
        let read = move |connection: &mut Connection| {
            let (mut rows, mut size) = (Vec::new(), 0_i64);
            query(oldest).bind(app_id).fetch_each(connection, |row| {
                let (id, length): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
                rows.push((id, length));
                size = size.saturating_add(length);
                Ok(size < excess)
            })?;
            Ok::<_, StoreError>(rows)
        };
        // Readers have a time limit, which the sort can exceed.
        self.writer.run(read).await
    }

    /// Returns the size of an app's documents in a table, in bytes.
    async fn size_of(
        &self,
        app_id: &str,
        (table, owners, owner): (&'static str, &str, &'static str),
    ) -> Result<i64, StoreError> {
        let ids = query(format!("SELECT id FROM {owners} WHERE app_id = ?")).bind(app_id);
        let ids: Vec<i64> =
            ids.read_all(&self.readers).await?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let mut size = 0_i64;
        for ids in ids.chunks(MEASURED) {
            // `length` does not read the documents.
            let mut sum = QueryBuilder::new(format!(
                "SELECT sum(CAST(length(document) AS DOUBLE PRECISION)) FROM {table} WHERE {owner} IN "
            ));
            sum.push_integers(ids);
            let sum: Option<f64> = sum.build().read_one(&self.readers).await?.try_get(0)?;
            size = size.saturating_add(sum.unwrap_or(0.0) as i64);
        }
        Ok(size)
    }

    /// Returns free pages of a file of SQLite to the system, if the file was created with that ability.
    pub(super) async fn return_space(&self) -> Result<(), StoreError> {
        let step = |connection: &mut Connection| {
            if connection.engine() != Engine::Sqlite {
                return Ok::<_, StoreError>(false);
            }
            let mut number = |name: &'static str| query(name).fetch_one(connection)?.try_get::<i64, _>(0);
            let (mode, free) = (number("PRAGMA auto_vacuum")?, number("PRAGMA freelist_count")?);
            // 2 is the incremental mode.
            if mode != 2 || free <= FREE_PAGES {
                return Ok(false);
            }
            query(format!("PRAGMA incremental_vacuum({RETURNED_PAGES})")).fetch_all(connection)?;
            Ok(true)
        };
        while self.writer.run(step).await? {}
        Ok(())
    }
}

/// Removes rows of an app, each with the size of its document, and counts them as dropped. Returns the bytes that it freed,
/// or `None` if another process removes rows.
fn remove(
    connection: &mut Connection,
    app_id: String,
    table: &str,
    rows: &[(i64, i64)],
    now: i64,
) -> Result<Option<i64>, StoreError> {
    if !is_first(connection)? {
        return Ok(None);
    }
    lock_app(connection, &app_id)?;
    let ids: Vec<_> = rows.iter().map(|(id, _)| vec![Value::from(*id)]).collect();
    let removed: u64 = connection.execute_many(&format!("DELETE FROM {table} WHERE id = ?"), &ids)?.iter().sum();
    let minute = now.div_euclid(60_000_000).saturating_mul(60);
    let key = DropKey { app_id, minute, reason: REASON.to_owned() };
    if removed > 0 {
        write_drops(connection, &[(key, removed)].into())?;
    }
    Ok(Some(rows.iter().fold(0, |sum, (_, length)| sum.saturating_add(*length))))
}
