//! The rows of pending spans and of joined transactions.

use serde::de::DeserializeOwned;

use crate::changes::{NewSpan, SpanId, TraceId};
use crate::interpret::JoinedTransaction;
use crate::store::engine::{Connection, Value, query};
use crate::store::error::StoreError;

/// The largest number of pending spans, of joined transactions and of exceptions that are kept of an app: the newest.
const MAX_ROWS: i64 = 50_000;

/// The largest size of the pending spans, and of the joined transactions, that are kept of an app, in bytes.
const MAX_SIZE: i64 = 64 << 20;

/// The largest number of pending spans of one trace.
const MAX_PENDING: usize = 20_000;

/// The largest size of the pending spans of one trace, in bytes.
const MAX_PENDING_SIZE: usize = 4 << 20;

/// The largest number of joined transactions that are read of one trace: the newest.
const MAX_JOINED: i64 = 1_000;

/// The largest size of the joined transactions that are read of one trace, in bytes.
const MAX_JOINED_SIZE: usize = 8 << 20;

/// The size of new rows that makes it worth to look for surplus ones, in bytes.
const MANY: usize = 128 << 10;

/// One in this number of rows makes it worth to look for surplus ones, since the search reads all rows of an app.
const ONE_IN: i64 = 64;

/// The rows of an app that a batch wrote.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    size: usize,
    is_due: bool,
}

impl Written {
    pub(super) fn add(&mut self, size: usize, id: i64) {
        self.size = self.size.saturating_add(size);
        self.is_due |= id % ONE_IN == 0;
    }

    /// Returns whether it is time to look for surplus rows.
    pub(super) fn is_many(&self) -> bool {
        self.is_due || self.size >= MANY
    }
}

/// The space that is left for pending spans of a trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    spans: usize,
    size: usize,
}

impl Room {
    /// Takes the space of one span. Returns false if no space is left.
    fn take(&mut self, size: usize) -> bool {
        let (Some(spans), Some(size)) = (self.spans.checked_sub(1), self.size.checked_sub(size)) else { return false };
        *self = Self { spans, size };
        true
    }
}

/// Returns the pending spans of a trace, and the space that is left for more.
pub(super) fn pending(
    connection: &mut Connection,
    app_id: &str,
    trace_id: TraceId,
) -> Result<(Vec<NewSpan>, Room), StoreError> {
    let mut room = Room { spans: MAX_PENDING, size: MAX_PENDING_SIZE };
    let mut spans = Vec::new();
    let rows = query("SELECT document FROM pending_spans WHERE app_id = ? AND trace_id = ? ORDER BY span_id");
    rows.bind(app_id).bind(&trace_id[..]).fetch_each(connection, |row| {
        let document: &[u8] = row.try_get("document")?;
        if !room.take(document.len()) {
            room.size = 0;
            return Ok(false);
        }
        spans.push(decode(document));
        Ok(true)
    })?;
    Ok((spans.into_iter().collect::<Result<_, _>>()?, room))
}

/// Returns the newest joined transactions of a trace, by their span.
pub(super) fn joined(
    connection: &mut Connection,
    app_id: &str,
    trace_id: TraceId,
) -> Result<Vec<(SpanId, JoinedTransaction)>, StoreError> {
    let mut transactions = Vec::new();
    let mut size = 0_usize;
    query(
        "SELECT span_id, document FROM joined_transactions WHERE id IN (
             SELECT id FROM joined_transactions WHERE app_id = ? AND trace_id = ? ORDER BY id DESC LIMIT ?)
         ORDER BY id DESC",
    )
    .bind(app_id)
    .bind(&trace_id[..])
    .bind(MAX_JOINED)
    .fetch_each(connection, |row| {
        let document: &[u8] = row.try_get("document")?;
        size = size.saturating_add(document.len());
        if size > MAX_JOINED_SIZE {
            return Ok(false);
        }
        transactions.push((row.try_get::<Vec<u8>, _>("span_id")?, decode(document)));
        Ok(true)
    })?;
    let transaction = |(span_id, transaction): (Vec<u8>, Result<_, _>)| {
        let span_id = SpanId::try_from(span_id).map_err(|_| damaged("the id of a span does not have 8 bytes"))?;
        Ok((span_id, transaction?))
    };
    transactions.into_iter().map(transaction).collect()
}

/// Stores pending spans of a trace. A span with the same id is kept as it is. Returns the number of spans for which there
/// is no space.
pub(super) fn insert_pending(
    connection: &mut Connection,
    spans: &[NewSpan],
    room: &mut Room,
    written: &mut Written,
) -> Result<u64, StoreError> {
    let mut dropped = 0;
    let mut rows = Vec::with_capacity(spans.len());
    let mut sizes = Vec::with_capacity(spans.len());
    for span in spans {
        let document = encode(span)?;
        if !room.take(document.len()) {
            dropped += 1;
            continue;
        }
        sizes.push(document.len());
        let key = [Value::from(&span.app_id), (&span.trace_id).into(), (&span.span_id).into()];
        rows.push(key.into_iter().chain([span.received_at.into(), document.into()]).collect());
    }
    let inserted = connection.rows_many(
        "INSERT INTO pending_spans (app_id, trace_id, span_id, received_at, document) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING id",
        &rows,
    )?;
    for (rows, size) in inserted.iter().zip(sizes) {
        if let Some(row) = rows.first() {
            written.add(size, row.try_get(0)?);
        }
    }
    Ok(dropped)
}

/// Removes the pending spans of a trace, some of which are no longer pending.
pub(super) fn remove_pending(
    connection: &mut Connection,
    app_id: &str,
    trace_id: TraceId,
    spans: impl Iterator<Item = SpanId>,
) -> Result<(), StoreError> {
    let row = |span_id: SpanId| vec![Value::from(app_id), trace_id.to_vec().into(), span_id.to_vec().into()];
    connection.execute_many(
        "DELETE FROM pending_spans WHERE app_id = ? AND trace_id = ? AND span_id = ?",
        &spans.map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Stores a transaction with the spans that are joined to it, by its app, trace and span.
pub(super) fn write_joined(
    connection: &mut Connection,
    (app_id, trace_id, span_id): (&str, TraceId, SpanId),
    received_at: i64,
    transaction: &JoinedTransaction,
    written: &mut Written,
) -> Result<(), StoreError> {
    let document = encode(transaction)?;
    let size = document.len();
    let row = query(
        "INSERT INTO joined_transactions (app_id, trace_id, span_id, received_at, document) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (app_id, trace_id, span_id) DO UPDATE SET document = excluded.document RETURNING id",
    )
    .bind(app_id)
    .bind(&trace_id[..])
    .bind(&span_id[..])
    .bind(received_at)
    .bind(document)
    .fetch_one(connection)?;
    written.add(size, row.try_get(0)?);
    Ok(())
}

/// Removes the oldest rows of an app that are too many or too large. Returns the number of removed pending spans.
pub(super) fn remove_surplus(connection: &mut Connection, app_id: &str) -> Result<u64, StoreError> {
    query(
        "DELETE FROM trace_exceptions WHERE app_id = ?1 AND id <= (
             SELECT id FROM trace_exceptions WHERE app_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )
    .bind(app_id)
    .bind(MAX_ROWS)
    .execute(&mut *connection)?;
    // `length` does not read the documents.
    let statements = [
        "DELETE FROM joined_transactions WHERE id IN (
             SELECT id FROM (
                 SELECT id, row_number() OVER newest AS number, sum(length(document)) OVER newest AS size
                 FROM joined_transactions WHERE app_id = ? WINDOW newest AS (ORDER BY id DESC)
             ) AS sizes WHERE number > ? OR size > ?)",
        "DELETE FROM pending_spans WHERE id IN (
             SELECT id FROM (
                 SELECT id, row_number() OVER newest AS number, sum(length(document)) OVER newest AS size
                 FROM pending_spans WHERE app_id = ? WINDOW newest AS (ORDER BY id DESC)
             ) AS sizes WHERE number > ? OR size > ?)",
    ];
    let mut removed = 0;
    for statement in statements {
        let query = query(statement).bind(app_id).bind(MAX_ROWS).bind(MAX_SIZE);
        removed = query.execute(&mut *connection)?;
    }
    Ok(removed)
}

fn encode<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    Ok(postcard::to_stdvec(value).map_err(std::io::Error::other)?)
}

fn decode<T: DeserializeOwned>(document: &[u8]) -> Result<T, StoreError> {
    Ok(postcard::from_bytes(document).map_err(std::io::Error::other)?)
}

fn damaged(reason: &str) -> StoreError {
    std::io::Error::other(reason).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::stores;
    use crate::store::testing::TestStore;

    #[tokio::test]
    async fn the_newest_rows_of_an_app_are_kept_up_to_a_size() {
        for store in stores().await {
            assert_newest_are_kept(&store).await;
        }
    }

    async fn assert_newest_are_kept(store: &TestStore) {
        let app_id = store.create_app("shop").await;
        for number in 0..70_u8 {
            let insert = "INSERT INTO pending_spans (app_id, trace_id, span_id, received_at, document)
                          VALUES (?, ?, ?, 0, ?)";
            let span = [number; 8];
            let insert = query(insert).bind(&app_id).bind(&[7]).bind(&span).bind(vec![0; 1 << 20]);
            insert.run(&store.writer).await.unwrap();
        }
        let remove = |app_id: String| store.write(move |connection| remove_surplus(connection, &app_id));
        assert_eq!(remove("other".to_owned()).await.unwrap(), 0);
        assert_eq!(remove(app_id).await.unwrap(), 6);
        let oldest = query("SELECT min(id) FROM pending_spans").read_one(&store.writer).await.unwrap();
        assert_eq!(oldest.try_get::<i64, _>(0).unwrap(), 7);
    }
}
