//! The queue's end that the worker reads.

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::record::{Parsed, parse};
use super::{Position, segment};

/// Bytes read at once, unless one record is larger.
const CHUNK: usize = 4 << 20;

/// Records of one read at the most.
const MAX_RECORDS: usize = 512;

/// Reads records in the order they were appended.
#[derive(Debug)]
pub struct Reader {
    folder: PathBuf,
    at: Position,
    tail: watch::Receiver<Position>,
}

/// Some records, and the place behind them.
#[derive(Debug, Default)]
pub struct Read {
    /// The records' payloads.
    pub records: Vec<Vec<u8>>,
    /// Where to read on once they are stored.
    pub next: Position,
    /// Where damage was found and left out, with what is known of it.
    pub damage: Option<String>,
}

impl Reader {
    pub(super) fn new(folder: &Path, at: Position, tail: watch::Receiver<Position>) -> Self {
        Self { folder: folder.to_owned(), at, tail }
    }

    /// Waits for records. `None` when the queue is closed and read to its end.
    ///
    /// Nothing is read twice, unless [`rewind`](Self::rewind) says so.
    ///
    /// # Errors
    ///
    /// Returns an error if a segment cannot be read; another attempt may succeed.
    pub async fn next(&mut self) -> io::Result<Option<Read>> {
        let at = self.at;
        let is_closed = self.tail.wait_for(|end| *end > at).await.is_err();
        let end = *self.tail.borrow();
        if is_closed && end <= at {
            return Ok(None);
        }
        let read = self.read(end)?;
        self.at = read.next;
        Ok(Some(read))
    }

    /// Reads on from an earlier place.
    pub fn rewind(&mut self, to: Position) {
        self.at = to;
    }

    fn read(&self, end: Position) -> io::Result<Read> {
        let segments = segment::list(&self.folder)?;
        // A cursor before the first segment that is left stands at its start.
        let first = segments.into_iter().find(|segment| *segment >= self.at.segment);
        let Some(segment) = first else { return Err(io::Error::other("the queue's segments are gone")) };
        let at = if segment == self.at.segment { self.at } else { Position::start_of(segment) };
        let limit = if segment == end.segment { end.offset } else { u64::MAX };
        let bytes = self.bytes(at, limit, CHUNK)?;
        if bytes.is_empty() && segment < end.segment {
            return Ok(Read { next: Position::start_of(segment + 1), ..Read::default() });
        }
        match parse(&bytes) {
            Parsed::Torn(size) => self.split(&self.bytes(at, limit, size.max(CHUNK))?, at),
            _ => self.split(&bytes, at),
        }
    }

    fn bytes(&self, at: Position, limit: u64, size: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(segment::path(&self.folder, at.segment))?;
        file.seek(SeekFrom::Start(at.offset))?;
        let mut bytes = Vec::new();
        let length = limit.saturating_sub(at.offset).min(size as u64);
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Splits bytes into records. Where they are damaged, the rest of the segment is given up: acknowledged records
    /// are never damaged by us, and so it is the disk that lost them.
    fn split(&self, bytes: &[u8], mut at: Position) -> io::Result<Read> {
        let mut records = Vec::new();
        let mut rest = bytes;
        while records.len() < MAX_RECORDS {
            let Parsed::Record(payload, size) = parse(rest) else { break };
            records.push(payload.to_vec());
            rest = &rest[size..];
            at.offset += size as u64;
        }
        if !records.is_empty() {
            return Ok(Read { records, next: at, damage: None });
        }
        let damage = format!("segment {} is damaged at byte {}; the rest of it is left out", at.segment, at.offset);
        let end = *self.tail.borrow();
        let next = if at.segment < end.segment { Position::start_of(at.segment + 1) } else { end };
        Ok(Read { records, next, damage: Some(damage) })
    }
}
