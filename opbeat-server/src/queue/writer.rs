//! The thread that appends, and syncs once for all who wait.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::{oneshot, watch};

use super::segment::{self, Backlog};
use super::{AppendError, Position};

/// Bytes written before one sync at the most.
const MAX_GROUP: usize = 8 << 20;

/// One framed record, and who waits for it.
pub(super) struct Append {
    pub(super) record: Vec<u8>,
    pub(super) done: oneshot::Sender<Result<(), AppendError>>,
}

/// Writes the open segment.
pub(super) struct Writer {
    folder: PathBuf,
    segment_limit: u64,
    file: File,
    end: Position,
    /// A failed write may have left a part behind the end; nothing is written until it is cut off.
    is_torn: bool,
}

impl Writer {
    pub(super) fn open(folder: &Path, segment_limit: u64, from: Position) -> io::Result<(Self, Position)> {
        let (file, end) = match segment::list(folder)?.last() {
            Some(last) => {
                let (file, offset) = segment::recover(folder, *last)?;
                (file, Position { segment: *last, offset })
            }
            None => (segment::create(folder, from.segment + 1)?, Position::start_of(from.segment + 1)),
        };
        let writer = Self { folder: folder.to_owned(), segment_limit, file, end, is_torn: false };
        Ok((writer, end))
    }

    /// Appends until all senders are gone.
    pub(super) fn run(mut self, appends: &Receiver<Append>, ends: &watch::Sender<Position>, backlog: &Backlog) {
        while let Ok(first) = appends.recv() {
            let group = collect(first, appends);
            let written = self.append(&group).map_err(Arc::new);
            if let Err(error) = &written {
                tracing::error!(%error, "the queue cannot be written; requests are answered 503 until it can");
            } else {
                backlog.set_end(self.end);
                ends.send_replace(self.end);
            }
            for append in group {
                // Whoever waited may have gone meanwhile.
                let _ = append.done.send(written.clone().map_err(AppendError::Disk));
            }
        }
    }

    fn append(&mut self, group: &[Append]) -> io::Result<()> {
        self.mend()?;
        if self.end.offset >= self.segment_limit {
            self.roll()?;
        }
        self.is_torn = true;
        let mut size = 0;
        for append in group {
            self.file.write_all(&append.record)?;
            size += append.record.len() as u64;
        }
        self.file.sync_data()?;
        self.is_torn = false;
        self.end.offset += size;
        Ok(())
    }

    /// Cuts off what a failed write has left.
    fn mend(&mut self) -> io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.end.offset)?;
            self.file.sync_all()?;
            self.is_torn = false;
        }
        Ok(())
    }

    fn roll(&mut self) -> io::Result<()> {
        let next = self.end.segment + 1;
        self.file = segment::create(&self.folder, next)?;
        self.end = Position::start_of(next);
        Ok(())
    }
}

/// Takes all who wait by now.
fn collect(first: Append, appends: &Receiver<Append>) -> Vec<Append> {
    let mut size = first.record.len();
    let mut group = vec![first];
    while size < MAX_GROUP {
        let Ok(next) = appends.try_recv() else { break };
        size += next.record.len();
        group.push(next);
    }
    group
}
