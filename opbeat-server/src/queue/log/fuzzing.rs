//! Opens and reads the queue after something happened to a segment, for the fuzz target.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use futures_util::FutureExt;
use tokio::sync::{oneshot, watch};

use super::backlog::Backlog;
use super::disk::SystemDisk;
use super::reader::{Damage, Reader};
use super::record;
use super::segment::Position;
use super::writer::{Append, Writer};

/// The segment that the bytes are in.
const SEGMENT: u64 = 1;

/// A part of the queue, as the worker gets it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The payload of a record.
    Record(Vec<u8>),
    /// Damaged bytes.
    Damage(Vec<u8>),
}

/// The queue after it was opened, appended to, and read.
#[derive(Debug)]
pub(crate) struct Reopened {
    /// The parts in the order of the queue.
    pub(crate) parts: Vec<Part>,
    /// The size in bytes of the segment without an unfinished record, which was cut off.
    pub(crate) kept: usize,
}

/// Returns the record of a payload, as a segment of this version or of earlier ones contains it.
pub(crate) fn frame(payload: &[u8], is_earlier: bool) -> Vec<u8> {
    let marked = record::frame(payload);
    if is_earlier { marked.split_at(4).1.to_vec() } else { marked }
}

/// Opens the queue in an empty folder with one segment of these bytes, appends a record, and reads all parts.
pub(crate) fn reopen(folder: &Path, bytes: &[u8], is_earlier: bool, appended: &[u8]) -> io::Result<Reopened> {
    let extension = if is_earlier { "log" } else { "records" };
    let file = folder.join(format!("{SEGMENT:020}.{extension}"));
    std::fs::write(&file, bytes)?;
    let from = Position::start_of(SEGMENT);
    let (writer, end) = Writer::open(Arc::new(SystemDisk), folder, 16 << 20, Some(from))?;
    let kept = if end.segment == SEGMENT { usize::try_from(end.offset).unwrap_or(usize::MAX) } else { bytes.len() };
    let backlog = Backlog::measure(folder, from, u64::MAX)?;
    let (ends, queue_end) = watch::channel(end);
    let (sender, appends) = sync_channel(1);
    let (done, mut response) = oneshot::channel();
    let append = Append { app_id: "shop".into(), record: record::frame(appended), done };
    sender.send(append).expect("the channel has room for one");
    drop(sender);
    writer.run(&appends, &ends, &backlog);
    drop(ends);
    let result = response.try_recv().expect("the writer answers each append");
    result.expect("the segment can be appended to");
    let most = bytes.len() + 2;
    Ok(Reopened { parts: read(Reader::new(folder, from, queue_end), most)?, kept })
}

/// Reads all parts, in at most `most` batches with at least one byte each.
fn read(mut reader: Reader, most: usize) -> io::Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut at = Position::default();
    for _ in 0..=most {
        let batch = reader.next().now_or_never().expect("a closed queue is read without waiting")?;
        let Some(batch) = batch else { return Ok(parts) };
        assert!(batch.next > at, "each batch moves the position");
        at = batch.next;
        parts.extend(batch.records.into_iter().map(Part::Record));
        parts.extend(batch.damage.map(|Damage { bytes, .. }| Part::Damage(bytes)));
    }
    panic!("the queue is not read to its end in {most} batches")
}
