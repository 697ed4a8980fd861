//! Searches a data folder: files, and the values of the database without their compression.

use std::fs;
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::planted::{CARD, MARK};
use crate::database::Database;

/// The bytes of everything that a folder contains, each with a description of its source.
#[derive(Default)]
pub(super) struct Contents(Vec<(String, Vec<u8>)>);

impl Contents {
    /// Reads all files of a folder and of its folders.
    pub(super) fn files(folder: &Path) -> Self {
        let mut contents = Self::default();
        contents.add_files(folder);
        contents
    }

    /// Adds all files of a folder and of its folders.
    pub(super) fn add_files(&mut self, folder: &Path) {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => self.add_file(&path),
                }
            }
        }
    }

    /// Adds a file, and the documents in it without their compression.
    fn add_file(&mut self, path: &Path) {
        let (place, bytes) = (path.display().to_string(), fs::read(path).unwrap());
        // The first bytes of zlib, as the server compresses.
        for at in memchr::memmem::find_iter(&bytes, b"\x78\x01") {
            let mut inflated = Vec::new();
            if ZlibDecoder::new(&bytes[at..]).read_to_end(&mut inflated).is_ok() {
                self.0.push((format!("document in {place}"), inflated));
            }
        }
        self.0.push((place, bytes));
    }

    /// Adds each value of each table of a database, and what it is without compression.
    pub(super) async fn add_database(&mut self, database: &Database) {
        for (place, value) in database.values().await {
            let mut inflated = Vec::new();
            if value.starts_with(b"\x78") && ZlibDecoder::new(&value[..]).read_to_end(&mut inflated).is_ok() {
                self.0.push((format!("document in {place}"), inflated));
            }
            self.0.push((place, value));
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
