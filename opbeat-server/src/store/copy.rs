//! Copies the tables of a file of SQLite into PostgreSQL.
//!
//! The tables and columns are those of SQLite's schema, so that one that a migration adds is copied too. Rows are copied
//! in the order of their keys, some thousands in a transaction. A row whose key is there already is left as it is, so that
//! an interrupted copy can be started again.

use std::collections::BTreeSet;

use super::cursor;
use super::database::Store;
use super::engine::{Connection, Error, Kind, QueryBuilder, Row, Value, query};
use super::error::StoreError;
use crate::queue::{Position, QueueId};

/// The largest number of rows in a transaction, and the bytes after which it gets no further row.
const CHUNK_ROWS: usize = 2_000;
const CHUNK_BYTES: usize = 8 << 20;

/// The tables that are not copied, with the reasons.
const LEFT_OUT: [(&str, &str); 3] = [
    ("migrations", "each engine counts the changes of its own schema"),
    ("queue_cursor", "it is set when all tables are copied, and shows that they are"),
    ("clock", "it describes the clock of the machine that removes old rows"),
];

/// The tables that a server without organizations writes to. Their rows say nothing about the data to be copied.
const OF_AN_EMPTY_SERVER: [&str; 2] = ["queue_cursor", "compactions"];

/// The divisor of integers in sums, which then stay small.
const DIVISOR: i64 = 1_000_003;

/// The largest relative difference of sums of floating-point numbers, which depend on the order of the rows.
const ROUNDING: f64 = 1e-9;

/// A table to copy.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    name: String,
    columns: Vec<Column>,
    rows: u64,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// Its type in SQLite.
    kind: String,
    /// Its position in the primary key, from 1 on; 0 if it is not part of it.
    key: i64,
}

/// The number of rows of a table, and sums of their values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sums {
    /// The number of rows.
    pub(crate) rows: i64,
    /// The sum of the remainders of the integers and of the lengths of bytes.
    pub(crate) integers: i64,
    /// The sum of the floating-point numbers.
    pub(crate) reals: f64,
}

impl Sums {
    /// Returns whether two tables have the same rows, as far as sums show it.
    pub(crate) fn agree(&self, other: &Self) -> bool {
        let difference = (self.reals - other.reals).abs();
        let are_reals_equal =
            self.reals.to_bits() == other.reals.to_bits() || difference <= ROUNDING * self.reals.abs().max(1.0);
        self.rows == other.rows && self.integers == other.integers && are_reals_equal
    }
}

impl Table {
    /// Returns the name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the number of rows before the copy.
    pub(crate) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the columns of the primary key, in the order of the key.
    fn key(&self) -> Vec<(usize, &Column)> {
        let mut key: Vec<_> = self.columns.iter().enumerate().filter(|(_, column)| column.key > 0).collect();
        key.sort_by_key(|(_, column)| column.key);
        key
    }

    /// Returns the next rows after a key; the first ones after an empty key.
    fn read(&self, connection: &mut Connection, after: Vec<Value<'static>>) -> Result<Vec<Vec<Value<'static>>>, Error> {
        let key = quoted(self.key().into_iter().map(|(_, column)| column));
        let mut select = QueryBuilder::new(format!("SELECT {} FROM \"{}\"", quoted(&self.columns), self.name));
        if !after.is_empty() {
            select.push(format_args!(" WHERE ({key}) > ")).push_row(after);
        }
        select.push(format_args!(" ORDER BY {key} LIMIT {CHUNK_ROWS}"));
        let (mut rows, mut bytes) = (Vec::new(), 0);
        select.build().fetch_each(connection, |row| {
            let row = row.to_values();
            bytes += row.iter().map(Value::size).sum::<usize>();
            rows.push(row);
            Ok(bytes < CHUNK_BYTES)
        })?;
        Ok(rows)
    }

    /// Returns the statement that inserts a row unless its key is there.
    fn insert(&self) -> String {
        let parameters = vec!["?"; self.columns.len()].join(", ");
        let columns = quoted(&self.columns);
        format!("INSERT INTO \"{}\" ({columns}) VALUES ({parameters}) ON CONFLICT DO NOTHING", self.name)
    }

    /// Returns the query of the sums. Texts are not in them: the engines count the character U+0000 differently.
    fn sums(&self) -> String {
        let (mut integers, mut reals) = ("0".to_owned(), "0.0".to_owned());
        for Column { name, kind, .. } in &self.columns {
            match &**kind {
                "INTEGER" => integers += &format!(" + coalesce(sum(\"{name}\" % {DIVISOR}), 0)"),
                "BLOB" => integers += &format!(" + coalesce(sum(length(\"{name}\")), 0)"),
                "REAL" => reals += &format!(" + coalesce(sum(\"{name}\"), 0.0)"),
                _ => {}
            }
        }
        format!("SELECT count(*), CAST({integers} AS BIGINT), CAST({reals} AS DOUBLE PRECISION) FROM \"{}\"", self.name)
    }

    /// Returns whether PostgreSQL may number its rows.
    fn is_numbered(&self) -> bool {
        self.columns.iter().any(|column| column.name == "id" && column.kind == "INTEGER")
    }
}

fn quoted<'c>(columns: impl IntoIterator<Item = &'c Column>) -> String {
    let names: Vec<String> = columns.into_iter().map(|column| format!("\"{}\"", column.name)).collect();
    names.join(", ")
}

/// Returns the tables to copy, each after those that it refers to.
fn tables(connection: &mut Connection) -> Result<Vec<Table>, Error> {
    let names = query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
    let mut waiting = Vec::new();
    for row in names.fetch_all(connection)? {
        let name: String = row.try_get(0)?;
        if LEFT_OUT.iter().any(|(left_out, _)| *left_out == name) {
            continue;
        }
        let columns = query("SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid").bind(&name);
        let column = |row: &Row<'_>| Ok(Column { name: row.try_get(0)?, kind: row.try_get(1)?, key: row.try_get(2)? });
        let columns = columns.fetch_all(connection)?.iter().map(column).collect::<Result<_, Error>>()?;
        let parents = query("SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?)").bind(&name);
        let parents = parents.fetch_all(connection)?.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let count = query(format!("SELECT count(*) FROM \"{name}\"")).fetch_one(connection)?.try_get::<i64, _>(0)?;
        waiting.push((Table { name, columns, rows: count.unsigned_abs() }, parents));
    }
    in_order(waiting)
}

fn in_order(mut waiting: Vec<(Table, Vec<String>)>) -> Result<Vec<Table>, Error> {
    let mut ordered: Vec<Table> = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |parents: &[String]| parents.iter().all(|parent| ordered.iter().any(|o| o.name == *parent));
        let Some(next) = waiting.iter().position(|(_, parents)| is_ready(parents)) else {
            return Err(Error::new(Kind::Data, "the tables of the database refer to each other in a circle"));
        };
        ordered.push(waiting.remove(next).0);
    }
    Ok(ordered)
}

impl Store {
    /// Returns the tables of this file of SQLite to copy, each after those that it refers to.
    pub(crate) async fn tables_to_copy(&self) -> Result<Vec<Table>, StoreError> {
        Ok(self.writer.run(tables).await?)
    }

    /// Returns the ids of all organizations.
    pub(crate) async fn organization_ids(&self) -> Result<BTreeSet<String>, StoreError> {
        let rows = query("SELECT id FROM organizations").read_all(&self.writer).await?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    }

    /// Prepares a database without organizations for a copy. Returns the name of a table that has rows, if there is one:
    /// then nothing is changed.
    pub(crate) async fn prepare_copy(&self, tables: &[Table]) -> Result<Option<String>, StoreError> {
        let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        self.write(move |connection| {
            for name in names.into_iter().filter(|name| !OF_AN_EMPTY_SERVER.contains(&&**name)) {
                let row = query(format!("SELECT 1 FROM \"{name}\" LIMIT 1")).fetch_optional(connection)?;
                if row.is_some() {
                    return Ok(Some(name));
                }
            }
            for name in OF_AN_EMPTY_SERVER {
                query(format!("DELETE FROM {name}")).execute(connection)?;
            }
            Ok(None)
        })
        .await
    }

    /// Copies the rows of a table of this file that are not in the target. `copied` gets the number of rows of each
    /// transaction.
    pub(crate) async fn copy_table(
        &self,
        target: &Self,
        table: &Table,
        mut copied: impl FnMut(u64),
    ) -> Result<(), StoreError> {
        let mut after = Vec::new();
        loop {
            let source = table.clone();
            let rows = self.writer.run(move |connection| source.read(connection, after)).await?;
            let Some(last) = rows.last() else { break };
            after = table.key().into_iter().map(|(index, _)| last[index].clone()).collect();
            let count = rows.len() as u64;
            let insert = table.insert();
            target.write(move |connection| Ok(connection.execute_many(&insert, &rows).map(drop)?)).await?;
            copied(count);
        }
        Ok(())
    }

    /// Returns the sums of a table.
    pub(crate) async fn sums(&self, table: &Table) -> Result<Sums, StoreError> {
        let row = query(table.sums()).read_one(&self.writer).await?;
        Ok(Sums { rows: row.try_get(0)?, integers: row.try_get(1)?, reals: row.try_get(2)? })
    }

    /// Finishes a copy into this database of PostgreSQL: new rows get numbers after those of the copied ones, and the
    /// queue is stored up to a position.
    pub(crate) async fn finish_copy(
        &self,
        tables: &[Table],
        queue: QueueId,
        position: Position,
    ) -> Result<(), StoreError> {
        let names = tables.iter().filter(|table| table.is_numbered()).map(|table| table.name.clone());
        let names: Vec<String> = names.collect();
        self.write(move |connection| {
            for name in names {
                // Without rows, or without a sequence, this changes nothing.
                let sequence = format!("pg_get_serial_sequence('{name}', 'id')");
                query(format!("SELECT setval({sequence}, (SELECT max(id) FROM \"{name}\"))")).fetch_all(connection)?;
            }
            cursor::set(connection, queue, position)
        })
        .await
    }

    /// Returns whether all tables were copied into this database.
    pub(crate) async fn is_copied(&self) -> Result<bool, StoreError> {
        Ok(query("SELECT queue FROM queue_cursor").read_optional(&self.writer).await?.is_some())
    }

    /// Lets PostgreSQL measure the tables, so that its plans suit them from the start.
    pub(crate) async fn analyze(&self) -> Result<(), StoreError> {
        Ok(self.writer.run(|connection| connection.batch("ANALYZE")).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrations;

    #[test]
    fn every_table_is_copied_or_left_out_for_a_reason() {
        let mut database = Connection::in_memory();
        migrations::migrate(&mut database).unwrap();
        let all = query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
        let all: Vec<String> =
            all.fetch_all(&mut database).unwrap().iter().map(|row| row.try_get(0).unwrap()).collect();
        let tables = tables(&mut database).unwrap();
        let copied = tables.iter().map(|table| table.name.clone());
        let left_out = LEFT_OUT.iter().map(|(name, _)| (*name).to_owned());
        let mut expected: Vec<String> = copied.chain(left_out).collect();
        expected.sort();
        assert_eq!(expected, all);

        let schema = migrations::postgres_schema();
        for table in &tables {
            assert!(!table.key().is_empty(), "{} has no key to copy it by", table.name);
            let known = ["INTEGER", "REAL", "TEXT", "BLOB"];
            assert!(table.columns.iter().all(|column| known.contains(&&*column.kind)), "{table:?}");
            assert!(schema.contains(&format!("CREATE TABLE {} (", table.name)), "PostgreSQL has no {}", table.name);
        }
        let place = |name: &str| tables.iter().position(|table| table.name == name).unwrap();
        assert!(place("organizations") < place("apps") && place("apps") < place("error_groups"));
        assert!(place("read_tokens") < place("sessions") && place("deployments") < place("deployment_machines"));
    }

    #[test]
    fn a_table_is_read_in_chunks_by_its_key() {
        let mut database = Connection::in_memory();
        let rows = "CREATE TABLE pairs (a TEXT, b INTEGER, c BLOB NOT NULL, PRIMARY KEY (b, a)) STRICT, WITHOUT ROWID;
             WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 4999)
             INSERT INTO pairs SELECT char(97 + n % 7), n / 7, zeroblob(n % 3 * 3000) FROM numbers;";
        database.batch(rows).unwrap();
        let tables = tables(&mut database).unwrap();
        let [table] = &tables[..] else { panic!("{tables:?}") };
        let (mut after, mut all, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let rows = table.read(&mut database, after).unwrap();
            let Some(last) = rows.last() else { break };
            after = vec![last[1].clone(), last[0].clone()];
            sizes.push(rows.len());
            all.extend(rows);
        }
        assert_eq!((all.len(), table.rows), (5_000, 5_000));
        assert_eq!(sizes, [2_000, 2_000, 1_000]);
        let sum = all.iter().map(|row| row[2].size()).sum::<usize>();
        let sums = query(table.sums()).fetch_one(&mut database).unwrap();
        let numbers: i64 = (0..5_000).map(|n| n / 7).sum();
        assert_eq!(sums.try_get::<i64, _>(1).unwrap(), numbers + i64::try_from(sum).unwrap());
    }
}
