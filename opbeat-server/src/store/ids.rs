//! The ids of rows: numbers that follow from what is stored, so that they do not depend on the worker that stores it, nor
//! on the order of storing.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::engine::{Connection, Value};
use super::error::StoreError;
use super::partitions::first_id;
use crate::changes::TransactionKey;

/// The bits of an id that distinguish rows of the same millisecond.
const BITS: u32 = 12;

/// The largest number of attempts to find a free id. Each finds a random one of more and more ids, and rows with the
/// same content are few: of each group or transaction, all but the newest are removed.
const MAX_ATTEMPTS: u32 = 4_096;

/// The attempt from which on the range of ids no longer grows: ids are then within four seconds of the time.
const WIDEST: u32 = 12;

/// Returns the id that the row of a transaction gets unless another row has it: 52 bits of a hash, never 0.
pub(super) fn of_transaction(key: &TransactionKey) -> i64 {
    let digest = digest([&key.app_id, &key.kind, &key.name].map(String::as_bytes));
    (first_bits(&digest, 52)).max(1)
}

/// Returns the first id that the row of a kind and signature of spans can have: 52 bits of a hash, never 0.
pub(super) fn of_span(app_id: &str, kind: &str, signature: &str) -> i64 {
    let digest = digest([app_id, kind, signature].map(str::as_bytes));
    first_bits(&digest, 52).max(1)
}

/// A row whose id follows from a time and its content.
#[derive(Debug)]
pub(super) struct TimedRow<'v> {
    /// The time, in microseconds since 1970.
    pub(super) happened_at: i64,
    /// The checksum of the content.
    pub(super) content: Content,
    /// The values of the columns after the id.
    pub(super) values: Vec<Value<'v>>,
}

/// Inserts rows with free ids. The first parameter of the statement is the id, and it inserts nothing if the id is not
/// free.
pub(super) fn insert(connection: &mut Connection, statement: &str, rows: Vec<TimedRow<'_>>) -> Result<(), StoreError> {
    // Rows with the same content try different ids from the start.
    let mut equal: HashMap<Content, u32> = HashMap::new();
    let mut times = Vec::with_capacity(rows.len());
    let mut values = Vec::with_capacity(rows.len());
    for row in rows {
        let number = equal.entry(row.content).or_default();
        times.push((row.happened_at, row.content, *number));
        *number = number.saturating_add(1);
        values.push(std::iter::once(Value::Null).chain(row.values).collect::<Vec<_>>());
    }
    for attempt in 0..MAX_ATTEMPTS {
        if values.is_empty() {
            return Ok(());
        }
        for (values, (happened_at, content, number)) in values.iter_mut().zip(&times) {
            values[0] = of_time(*happened_at, content, *number, attempt).into();
        }
        let inserted = connection.execute_many(statement, &values)?;
        let mut is_left = inserted.iter().map(|count| *count == 0);
        values.retain(|_| is_left.next().unwrap_or(false));
        let mut is_left = inserted.iter().map(|count| *count == 0);
        times.retain(|_| is_left.next().unwrap_or(false));
    }
    if values.is_empty() { Ok(()) } else { Err(std::io::Error::other("no id is free for a row of its time").into()) }
}

/// Returns the id that a row gets unless another row has it.
pub(super) fn first_choice(happened_at: i64, content: &Content) -> i64 {
    of_time(happened_at, content, 0, 0)
}

/// Returns an id for a row: the milliseconds of its time, and bits of a hash. Each further attempt has more bits.
fn of_time(happened_at: i64, content: &Content, number: u32, attempt: u32) -> i64 {
    let digest = digest([&content.0.to_le_bytes()[..], &number.to_le_bytes()[..], &attempt.to_le_bytes()]);
    first_id(happened_at).saturating_add(first_bits(&digest, BITS + attempt.min(WIDEST)))
}

/// The checksum of a row's content.
///
/// Documents are long, and two rows of one millisecond with the same checksum only try each other's id first. A checksum
/// that processors compute is therefore enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Content(u64);

impl Content {
    /// Returns the checksum of several values.
    pub(super) fn of<const COUNT: usize>(values: [&[u8]; COUNT]) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        let mut total = 0_u64;
        for value in values {
            // With the lengths, different values are different input.
            hasher.update(&(value.len() as u64).to_le_bytes());
            hasher.update(value);
            total = total.wrapping_add(value.len() as u64);
        }
        Self(u64::from(hasher.finalize()) << 32 | total & 0xffff_ffff)
    }
}

/// Returns a hash of several values.
fn digest<const COUNT: usize>(values: [&[u8]; COUNT]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for value in values {
        // With the lengths, different values are different input.
        hasher.update((value.len() as u64).to_le_bytes());
        hasher.update(value);
    }
    hasher.finalize().into()
}

fn first_bits(digest: &[u8; 32], bits: u32) -> i64 {
    let first: [u8; 8] = std::array::from_fn(|index| digest[index]);
    (u64::from_be_bytes(first) >> (64 - bits)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::query;

    #[test]
    fn ids_of_transactions_follow_from_their_names() {
        let key = |app: &str, kind: &str, name: &str| {
            of_transaction(&TransactionKey { app_id: app.to_owned(), kind: kind.to_owned(), name: name.to_owned() })
        };
        let ids = [key("a", "", "GET /"), key("a", "G", "ET /"), key("b", "", "GET /")];
        assert_eq!(ids, [key("a", "", "GET /"), key("a", "G", "ET /"), key("b", "", "GET /")]);
        assert!(ids[0] != ids[1] && ids[0] != ids[2]);
        assert!(ids.iter().all(|id| (1..1 << 52).contains(id)));
    }

    #[test]
    fn rows_of_one_time_get_the_same_ids_in_any_order_and_equal_rows_are_kept() {
        let ids = |documents: &[u16]| {
            let mut database = Connection::in_memory();
            database.batch("CREATE TABLE rows (id INTEGER PRIMARY KEY, document BLOB NOT NULL)").unwrap();
            let row = |document: &u16| TimedRow {
                happened_at: 1_795_799_973_123_456,
                content: Content::of([&document.to_le_bytes()]),
                values: vec![document.to_le_bytes().to_vec().into()],
            };
            for part in documents.chunks(documents.len().div_ceil(3)) {
                let insert = "INSERT INTO rows VALUES (?, ?) ON CONFLICT (id) DO NOTHING";
                super::insert(&mut database, insert, part.iter().map(row).collect()).unwrap();
            }
            let rows = query("SELECT id, document FROM rows ORDER BY id").fetch_all(&mut database).unwrap();
            let row = |row: &crate::store::engine::Row<'_>| (row.try_get(0).unwrap(), row.try_get(1).unwrap());
            rows.iter().map(row).collect::<Vec<(i64, Vec<u8>)>>()
        };
        let few = ids(&[1, 2, 3, 4]);
        assert_eq!(few, ids(&[4, 2, 1, 3]));
        let first = 1_795_799_973_123_i64 << 12;
        assert!(few.iter().all(|(id, _)| (first..first + 4_096).contains(id)));
        let equal = ids(&[7; 300]);
        assert_eq!(equal.len(), 300);
        // More than a millisecond has ids.
        let many: Vec<u16> = (0..10_000).collect();
        assert_eq!(ids(&many).len(), 10_000);
    }
}
