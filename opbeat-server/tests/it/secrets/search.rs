//! Searches a data folder: files, and the values of the database without their compression.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::planted::{CARD, MARK};

/// The bytes of everything that a folder contains, each with a description of its source.
#[derive(Default)]
pub(super) struct Contents(Vec<(String, Vec<u8>)>);

impl Contents {
    /// Reads all files of a folder and of its folders.
    pub(super) fn files(folder: &Path) -> Self {
        let (mut contents, mut folders) = (Self::default(), vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => contents.0.push((path.display().to_string(), fs::read(&path).unwrap())),
                }
            }
        }
        contents
    }

    /// Adds each value of each table of a database, and what it is without compression.
    pub(super) async fn add_database(&mut self, file: &Path) {
        let mut database = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await.unwrap();
        let tables = sqlx::query("SELECT name FROM sqlite_schema WHERE type = 'table'");
        let tables: Vec<String> = tables.fetch_all(&mut database).await.unwrap().iter().map(|row| row.get(0)).collect();
        for table in tables {
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM \"{table}\""))).fetch_all(&mut database).await;
            for row in rows.unwrap() {
                self.add_row(&table, &row);
            }
        }
    }

    fn add_row(&mut self, table: &str, row: &SqliteRow) {
        for index in 0..row.len() {
            let Some(value) = bytes(row, index) else { continue };
            let mut inflated = Vec::new();
            if value.starts_with(b"\x78") && ZlibDecoder::new(&value[..]).read_to_end(&mut inflated).is_ok() {
                self.0.push((format!("document of {table}"), inflated));
            }
            self.0.push((format!("column {index} of {table}"), value));
        }
    }

    /// Returns a line for each place that contains a planted secret, or its start.
    pub(super) fn leaks(&self) -> Vec<String> {
        let mut leaks = Vec::new();
        for (place, bytes) in &self.0 {
            let lower = bytes.to_ascii_lowercase();
            for mark in [MARK, CARD] {
                for at in memchr::memmem::find_iter(&lower, mark) {
                    let around = &bytes[at.saturating_sub(60)..(at + 30).min(bytes.len())];
                    leaks.push(format!("{place}: {}", String::from_utf8_lossy(around).escape_debug()));
                }
            }
        }
        leaks
    }

    /// Returns the words that nothing contains.
    pub(super) fn missing<'a>(&self, words: &'a [(String, &'static str)]) -> Vec<&'a (String, &'static str)> {
        let mut found = std::collections::HashSet::new();
        for (_, bytes) in &self.0 {
            for at in memchr::memmem::find_iter(bytes, "kept") {
                found.insert(&bytes[at..(at + "kept00000x".len()).min(bytes.len())]);
            }
        }
        words.iter().filter(|(word, _)| !found.contains(word.as_bytes())).collect()
    }
}

fn bytes(row: &SqliteRow, index: usize) -> Option<Vec<u8>> {
    let text = row.try_get::<String, _>(index).map(String::into_bytes);
    text.or_else(|_| row.try_get::<Vec<u8>, _>(index)).ok()
}
