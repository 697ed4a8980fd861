//! The end of the queue that the worker reads.

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use tokio::sync::watch;

use super::record::{Parsed, parse};
use super::segment::{self, Position};

/// The number of bytes that are read at once, unless one record is larger.
const CHUNK: usize = 4 << 20;

/// The largest number of records in a batch.
const MAX_RECORDS: usize = 512;

/// Reads records in the order they were appended.
#[derive(Debug)]
pub(crate) struct Reader {
    folder: PathBuf,
    at: Position,
    queue_end: watch::Receiver<Position>,
}

/// Some records, and the position after them.
#[derive(Debug, Default)]
pub(crate) struct RecordBatch {
    /// The records' payloads.
    pub(crate) records: Vec<Vec<u8>>,
    /// The position to continue from after they are stored.
    pub(crate) next: Position,
    /// A description of damage that was found and skipped, if any.
    pub(crate) damage: Option<String>,
}

impl Reader {
    pub(super) fn new(folder: &Path, at: Position, queue_end: watch::Receiver<Position>) -> Self {
        Self { folder: folder.to_owned(), at, queue_end }
    }

    /// Waits for the next records. Returns `None` when the queue is closed and read to its end.
    ///
    /// Each record is returned once, even if storing it fails.
    ///
    /// # Errors
    ///
    /// Returns an error if a segment cannot be read; another attempt may succeed.
    pub(crate) async fn next(&mut self) -> io::Result<Option<RecordBatch>> {
        let at = self.at;
        let is_closed = self.queue_end.wait_for(|end| *end > at).await.is_err();
        let end = *self.queue_end.borrow();
        if is_closed && end <= at {
            return Ok(None);
        }
        let batch = self.read(end)?;
        self.at = batch.next;
        Ok(Some(batch))
    }

    fn read(&self, end: Position) -> io::Result<RecordBatch> {
        let segments = segment::list(&self.folder)?;
        // If the segment at the cursor was removed, reading continues at the start of the next one.
        let first = segments.into_iter().find(|segment| *segment >= self.at.segment);
        let Some(segment) = first else { return Err(io::Error::other("the segment files of the queue are missing")) };
        let at = if segment == self.at.segment { self.at } else { Position::start_of(segment) };
        let limit = if segment == end.segment { end.offset } else { u64::MAX };
        let bytes = self.bytes(at, limit, CHUNK)?;
        if bytes.is_empty() && segment < end.segment {
            return Ok(RecordBatch { next: Position::start_of(segment + 1), ..RecordBatch::default() });
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

    /// Splits bytes into records. After damage, the rest of the segment is skipped.
    ///
    /// The writer never leaves a damaged record among acknowledged ones, so that only the disk can have damaged it.
    fn split(&self, bytes: &[u8], mut at: Position) -> io::Result<RecordBatch> {
        let mut records = Vec::new();
        let mut rest = bytes;
        while records.len() < MAX_RECORDS {
            let Parsed::Record(payload, size) = parse(rest) else { break };
            records.push(payload.to_vec());
            rest = &rest[size..];
            at.offset += size as u64;
        }
        if !records.is_empty() {
            return Ok(RecordBatch { records, next: at, damage: None });
        }
        let damage =
            format!("segment {} is damaged at byte {}; the rest of the segment is skipped", at.segment, at.offset);
        let end = *self.queue_end.borrow();
        let next = if at.segment < end.segment { Position::start_of(at.segment + 1) } else { end };
        Ok(RecordBatch { records, next, damage: Some(damage) })
    }
}
