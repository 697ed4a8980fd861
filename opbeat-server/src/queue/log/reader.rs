//! The end of the queue that the worker reads.

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::blocks::read_around;
use super::record::{Format, Parsed, next_record, parse};
use super::segment::{self, Position};

/// The number of bytes that are read at once, unless one record is larger.
const CHUNK: usize = 4 << 20;

/// The largest number of records in a batch.
const MAX_RECORDS: usize = 4_096;

/// The time between the starts of two reads, unless [`MANY`] bytes wait. Records that share a transaction of the database
/// take a part of its processor time only: those of one error group write the group once, and so on.
const INTERVAL: Duration = Duration::from_millis(250);

/// The number of waiting bytes that are read without a delay.
const MANY: u64 = CHUNK as u64;

/// The number of attempts after which a part that cannot be read counts as damaged. With the worker's pauses, they take
/// half a minute, in case the disk is only away for a moment.
const MAX_ATTEMPTS: u32 = 10;

/// Reads records in the order they were appended.
#[derive(Debug)]
pub(crate) struct Reader {
    folder: PathBuf,
    at: Position,
    queue_end: watch::Receiver<Position>,
    /// The start of the last read.
    read_at: Option<Instant>,
    /// The number of attempts to read at this position that failed.
    failures: u32,
    /// The last segment that the disk could not read as a whole.
    unreadable: Option<u64>,
}

/// Some records, and the position after them.
#[derive(Debug, Default)]
pub(crate) struct RecordBatch {
    /// The records' payloads.
    pub(crate) records: Vec<Vec<u8>>,
    /// The position to continue from after they are stored.
    pub(crate) next: Position,
    /// Damage that was found and skipped, if any.
    pub(crate) damage: Option<Damage>,
}

/// Damaged bytes of the queue.
#[derive(Debug)]
pub(crate) struct Damage {
    /// A description of the damage.
    pub(crate) reason: String,
    /// The damaged bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Reader {
    pub(super) fn new(folder: &Path, at: Position, queue_end: watch::Receiver<Position>) -> Self {
        Self { folder: folder.to_owned(), at, queue_end, read_at: None, failures: 0, unreadable: None }
    }

    /// Returns whether everything up to a position was read.
    pub(crate) fn is_at(&self, end: Position) -> bool {
        self.at >= end
    }

    /// Sets the position of the next read, which is not before the first segment. Returns it.
    pub(in crate::queue) fn begin(&mut self, at: Position) -> io::Result<Position> {
        let first = segment::list(&self.folder)?.first().copied().unwrap_or(at.segment);
        let start = Position::start_of(first);
        self.at = if at > *self.queue_end.borrow() {
            tracing::error!("the position in the database is that of another queue; this one is stored from its start");
            start
        } else {
            at.max(start)
        };
        Ok(self.at)
    }

    /// Waits until the next read is due, if a record waits to be read. After a pause, it is due at once.
    pub(crate) async fn gather(&mut self) {
        let at = self.at;
        let Some(due) = self.read_at.map(|read| read + INTERVAL) else { return };
        let Ok(end) = self.queue_end.wait_for(|end| *end > at).await.map(|end| *end) else { return };
        if end.segment == at.segment && end.offset - at.offset < MANY {
            tokio::time::sleep_until(due).await;
        }
    }

    /// Waits for the next records. Returns `None` when the queue is closed and read to its end.
    ///
    /// Each record is returned once, even if storing it fails.
    ///
    /// # Errors
    ///
    /// Returns an error if a segment cannot be read; another attempt may succeed. After some attempts, the parts that the
    /// disk cannot read count as damaged.
    pub(crate) async fn next(&mut self) -> io::Result<Option<RecordBatch>> {
        let at = self.at;
        let is_closed = self.queue_end.wait_for(|end| *end > at).await.is_err();
        let end = *self.queue_end.borrow();
        if is_closed && end <= at {
            return Ok(None);
        }
        self.read_at = Some(Instant::now());
        let batch = self.read(end).inspect_err(|_| self.failures = self.failures.saturating_add(1))?;
        if self.failures >= MAX_ATTEMPTS {
            self.unreadable = Some(batch.next.segment);
        }
        self.failures = 0;
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
        let format = segment::file(&self.folder, segment).1;
        match parse(format, &bytes) {
            Parsed::Record(..) => Ok(split(format, &bytes, at)),
            Parsed::Torn(size) if size > bytes.len() => {
                let bytes = self.bytes(at, limit, size.max(CHUNK))?;
                match parse(format, &bytes) {
                    Parsed::Record(..) => Ok(split(format, &bytes, at)),
                    _ => self.skip_damage(format, at, limit, end),
                }
            }
            _ => self.skip_damage(format, at, limit, end),
        }
    }

    /// Skips damaged bytes up to the next whole record, or to the end of the segment.
    ///
    /// The writer never leaves a damaged record among acknowledged ones, so that only the disk can have damaged it.
    fn skip_damage(&self, format: Format, at: Position, limit: u64, end: Position) -> io::Result<RecordBatch> {
        let mut bytes = self.bytes(at, limit, usize::MAX)?;
        let after = match next_record(format, &bytes) {
            Some(next) => {
                bytes.truncate(next);
                Position { offset: at.offset + next as u64, ..at }
            }
            None if at.segment < end.segment => Position::start_of(at.segment + 1),
            None => end,
        };
        let reason =
            format!("{} bytes of the queue are damaged, at byte {} of segment {}", bytes.len(), at.offset, at.segment);
        Ok(RecordBatch { records: Vec::new(), next: after, damage: Some(Damage { reason, bytes }) })
    }

    fn bytes(&self, at: Position, limit: u64, size: usize) -> io::Result<Vec<u8>> {
        let mut file = File::open(segment::file(&self.folder, at.segment).0)?;
        let length = limit.saturating_sub(at.offset).min(size as u64);
        if self.failures >= MAX_ATTEMPTS || self.unreadable == Some(at.segment) {
            let end = file.metadata()?.len().min(at.offset.saturating_add(length));
            return Ok(read_around(&mut file, at.offset..end).bytes);
        }
        file.seek(SeekFrom::Start(at.offset))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Splits bytes into the whole records at their start.
fn split(format: Format, bytes: &[u8], mut at: Position) -> RecordBatch {
    let mut records = Vec::new();
    let mut rest = bytes;
    while records.len() < MAX_RECORDS {
        let Parsed::Record(payload, size) = parse(format, rest) else { break };
        records.push(payload.to_vec());
        rest = &rest[size..];
        at.offset += size as u64;
    }
    RecordBatch { records, next: at, damage: None }
}
