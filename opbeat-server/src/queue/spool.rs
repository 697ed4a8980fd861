//! The spool: a log on the disk of this machine, which keeps records while RabbitMQ cannot take them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::batch::RecordId;
use super::error::AppendError;
use super::limits::QueueLimits;
use super::log::{Log, Position, Reader, private};
use super::message::Message;
use super::set_aside::SetAside;

/// The largest part of damaged bytes in one message. RabbitMQ takes no larger messages than 16 MiB.
const MAX_PART: usize = 8 << 20;

/// The file with the position up to which the spool was published.
const CURSOR: &str = "cursor";

/// The folder with the records that are larger than RabbitMQ takes.
const TOO_LARGE: &str = "too-large";

/// The end of the spool that records are appended to.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    log: Log,
    set_aside: SetAside,
}

/// The end of the spool from which records are published.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    log: Log,
    reader: Reader,
    cursor: PathBuf,
    set_aside: SetAside,
}

/// Some records of the spool, in order, and the position after them.
#[derive(Debug)]
pub(crate) struct Spooled {
    /// The messages.
    pub(super) messages: Vec<Message>,
    next: Position,
}

impl Spool {
    /// Opens the spool in a folder, with what an earlier run left in it.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written.
    pub(super) fn open(folder: &Path, limits: QueueLimits) -> io::Result<(Self, SpoolReader)> {
        let cursor = folder.join(CURSOR);
        let (log, reader) = Log::open(folder, limits, Some(read(&cursor)))?;
        let set_aside = SetAside::new(folder.join(TOO_LARGE), Arc::clone(log.condition()));
        Ok((Self { log: log.clone(), set_aside: set_aside.clone() }, SpoolReader { log, reader, cursor, set_aside }))
    }

    /// Appends a message. When this returns, it survives a crash.
    ///
    /// # Errors
    ///
    /// Returns an error if the spool is full or the disk fails.
    pub(super) async fn append(&self, message: &Message) -> Result<u64, AppendError> {
        let bytes = message.encode()?;
        self.log.append(&message.app_id, &bytes).await.map(|()| bytes.len() as u64)
    }

    /// Appends the records again that were set aside, since RabbitMQ may take larger ones by now.
    pub(super) async fn take_back(&self) {
        for path in self.set_aside.files() {
            let taken = match self.set_aside.read(&path) {
                Ok(message) => self.append(&message).await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match taken {
                // A crash before this appends it twice, with its id.
                Ok(_) => self.set_aside.remove(&path),
                Err(reason) => {
                    tracing::error!(file = %path.display(), reason, "a record that was set aside cannot be published again");
                }
            }
        }
    }

    /// Returns whether all of its records were published.
    pub(super) fn is_empty(&self) -> bool {
        self.log.backlog().bytes() == 0
    }

    /// Returns the log that it consists of.
    pub(crate) const fn log(&self) -> &Log {
        &self.log
    }
}

impl SpoolReader {
    /// Waits for the next records. Returns `None` when the spool is closed and read to its end.
    ///
    /// Damaged bytes become a message too, so that a worker sets them aside.
    pub(super) async fn next(&mut self) -> io::Result<Option<Spooled>> {
        let Some(batch) = self.reader.next().await? else { return Ok(None) };
        let mut messages = Vec::with_capacity(batch.records.len());
        if let Some(damage) = batch.damage {
            self.log.condition().count_damage();
            tracing::error!(reason = damage.reason, "damaged bytes of the spool are skipped and set aside");
            messages.extend(damage.bytes.chunks(MAX_PART).map(|part| unreadable(part.to_vec())));
        }
        let message = |bytes: Vec<u8>| Message::decode(&bytes).unwrap_or_else(|| unreadable(bytes));
        messages.extend(batch.records.into_iter().map(message));
        Ok(Some(Spooled { messages, next: batch.next }))
    }

    /// Keeps a message that is larger than RabbitMQ takes in a file of its own. When this returns, it survives a crash.
    ///
    /// # Errors
    ///
    /// Returns an error if the disk fails.
    pub(super) fn set_aside(&self, message: &Message, limit: usize) -> io::Result<()> {
        self.set_aside.add(message, limit)
    }

    /// Removes published records. Returns the number of bytes that they took.
    ///
    /// # Errors
    ///
    /// Returns an error if the disk fails. After the next start, some records are then published again, with their ids.
    pub(super) fn release(&self, published: &Spooled) -> io::Result<u64> {
        let before = self.log.backlog().bytes();
        // First, since a full disk has room for the cursor only after the segments are removed.
        let released = self.log.release(published.next);
        let bytes = before.saturating_sub(self.log.backlog().bytes());
        write(&self.cursor, published.next)?;
        released.map(|()| bytes)
    }
}

/// Returns a message with bytes that are no message. Equal bytes have an equal id, so that they are set aside once.
fn unreadable(payload: Vec<u8>) -> Message {
    let mut id = RecordId::default();
    id.iter_mut().zip(Sha256::digest(&payload)).for_each(|(byte, hashed)| *byte = hashed);
    Message { id, app_id: "".into(), payload }
}

/// Reads the cursor. Without a valid one, all records that are there are published again, with their ids.
fn read(path: &Path) -> Position {
    let Ok(bytes) = fs::read(path) else { return Position::default() };
    let position = bytes.split_first_chunk().and_then(|(segment, rest)| {
        let (offset, sum) = rest.split_first_chunk()?;
        let is_valid = *sum == crc32fast::hash(&bytes[..16]).to_le_bytes();
        is_valid.then_some(Position { segment: u64::from_le_bytes(*segment), offset: u64::from_le_bytes(*offset) })
    });
    position.unwrap_or_else(|| {
        tracing::warn!(file = %path.display(), "the cursor of the spool is damaged; its records are published again");
        Position::default()
    })
}

/// Writes the cursor: another file, which then takes its name, so that a crash leaves one of the two.
fn write(path: &Path, position: Position) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(20);
    bytes.extend_from_slice(&position.segment.to_le_bytes());
    bytes.extend_from_slice(&position.offset.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    let next = path.with_extension("next");
    let mut file = private().create(true).append(false).write(true).truncate(true).open(&next)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&next, path)?;
    // The name must survive a crash as well.
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
