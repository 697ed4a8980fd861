//! The log on a disk that loses power or is full: what was answered is never lost.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::poll;

use super::super::{AppendError, QueueLimits};
use super::disk::{Disk, SegmentFile, SystemDisk};
use super::{Log, Position, Reader};

/// A new segment after every few records.
const SMALL: QueueLimits = QueueLimits { segment: 100, backlog: 1 << 20 };

/// A disk in a folder. Bytes reach the folder's files only when they are synced.
#[derive(Clone, Debug, Default)]
struct FaultyDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The bytes of each file that were not synced.
    unsynced: HashMap<PathBuf, Vec<u8>>,
    /// The files whose names were not synced.
    unnamed: Vec<PathBuf>,
    /// The number of bytes that can be appended before the disk is full.
    space: Option<usize>,
    /// The number of operations before the disk is full.
    operations: Option<usize>,
    /// Announces a sync, and waits until it may go on.
    gate: Option<(Sender<()>, Receiver<()>)>,
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    path: PathBuf,
}

impl FaultyDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if let Some(operations) = &mut state.operations {
            *operations = operations.checked_sub(1).ok_or(ErrorKind::StorageFull)?;
        }
        Ok(state)
    }

    /// Cuts the power: what was not synced is gone, except for the first bytes of each file, which the system may have
    /// written on its own.
    fn cut_power(&self, written: usize) {
        let mut state = self.state();
        for (path, bytes) in std::mem::take(&mut state.unsynced) {
            write(&path, &bytes[..written.min(bytes.len())]);
        }
        for path in std::mem::take(&mut state.unnamed) {
            fs::remove_file(path).unwrap();
        }
    }

    /// Makes the disk work again.
    fn clear(&self) {
        let mut state = self.state();
        (state.space, state.operations) = (None, None);
    }

    fn open(&self, folder: &Path, from: Position) -> (Log, Reader) {
        Log::open_on(Arc::new(self.clone()), folder, SMALL, Some(from)).unwrap()
    }
}

fn write(path: &Path, bytes: &[u8]) {
    File::options().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.operate()?;
        SystemDisk.create(path)?;
        state.unnamed.push(path.to_owned());
        Ok(Box::new(FaultyFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn SegmentFile>> {
        SystemDisk.open(path)?;
        Ok(Box::new(FaultyFile { disk: self.clone(), path: path.to_owned() }))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.operate()?.unnamed.retain(|path| path.parent() != Some(folder));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.unnamed.retain(|unnamed| unnamed != path);
        state.unsynced.remove(path);
        SystemDisk.remove(path)
    }
}

impl SegmentFile for FaultyFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let room = state.space.unwrap_or(usize::MAX).min(bytes.len());
        state.space = state.space.map(|space| space - room);
        state.unsynced.entry(self.path.clone()).or_default().extend(&bytes[..room]);
        if room < bytes.len() { Err(ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        if let Some((entered, released)) = state.gate.take() {
            entered.send(()).unwrap();
            released.recv().unwrap();
        }
        write(&self.path, &state.unsynced.remove(&self.path).unwrap_or_default());
        Ok(())
    }

    fn cut_off(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.operate()?;
        let synced = fs::metadata(&self.path)?.len();
        let mut unsynced = state.unsynced.remove(&self.path).unwrap_or_default();
        unsynced.truncate(length.saturating_sub(synced) as usize);
        write(&self.path, &unsynced);
        SystemDisk.open(&self.path)?.cut_off(length)
    }
}

/// Reads everything that is in the log.
async fn read_all(log: &Log, reader: &mut Reader) -> Vec<String> {
    let end = log.backlog().ends().1;
    let mut records = Vec::new();
    while !reader.is_at(end) {
        let batch = tokio::time::timeout(Duration::from_secs(60), reader.next()).await;
        let batch = batch.expect("the log has more").unwrap().unwrap();
        assert!(batch.damage.is_none(), "{:?}", batch.damage);
        records.extend(batch.records.into_iter().map(|record| String::from_utf8(record).unwrap()));
    }
    records
}

#[tokio::test]
async fn a_power_cut_loses_nothing_that_was_answered() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let mut answered = Vec::new();
    for number in 0..30 {
        let (log, _) = disk.open(folder.path(), Position::default());
        let record = format!("record {number}");
        log.append("shop", record.as_bytes()).await.unwrap();
        answered.push(record);
        disk.cut_power(0);
        drop(log);
        let (log, mut reader) = disk.open(folder.path(), Position::default());
        assert_eq!(read_all(&log, &mut reader).await, answered);
    }
}

/// The power is cut while a record is written: at most this one, which was not answered, is gone.
#[tokio::test]
async fn a_power_cut_during_a_write_loses_nothing_else() {
    let size = super::record::frame(b"unanswered").len();
    for written in 0..=size {
        let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let (log, _) = disk.open(folder.path(), Position::default());
        log.append("shop", b"first").await.unwrap();
        // The write succeeds, and the sync does not.
        disk.state().operations = Some(1);
        log.append("shop", b"unanswered").await.unwrap_err();
        disk.cut_power(written);
        disk.clear();
        drop(log);
        let (log, mut reader) = disk.open(folder.path(), Position::default());
        log.append("shop", b"last").await.unwrap();
        let records = read_all(&log, &mut reader).await;
        let expected = if written == size { vec!["first", "unanswered", "last"] } else { vec!["first", "last"] };
        assert_eq!(records, expected, "{written} bytes were written");
    }
}

#[tokio::test]
async fn an_append_is_answered_after_the_sync() {
    let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
    let (log, mut reader) = disk.open(folder.path(), Position::default());
    let ((entered, entering), (release, released)) = (channel(), channel());
    disk.state().gate = Some((entered, released));
    let mut append = pin!(log.append("shop", b"books"));
    assert!(poll!(append.as_mut()).is_pending());
    entering.recv().unwrap();
    assert!(poll!(append.as_mut()).is_pending(), "the record is written, and not yet synced");
    release.send(()).unwrap();
    append.await.unwrap();
    assert_eq!(read_all(&log, &mut reader).await, ["books"]);
}

#[tokio::test]
async fn a_disk_that_is_full_at_any_byte_refuses_and_loses_nothing() {
    let size = super::record::frame(b"too much").len();
    for space in 0..size {
        let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let (log, mut reader) = disk.open(folder.path(), Position::default());
        log.append("shop", b"first").await.unwrap();
        disk.state().space = Some(space);
        for _ in 0..3 {
            assert!(matches!(log.append("shop", b"too much").await, Err(AppendError::Disk(_))), "{space} bytes");
        }
        assert!(log.condition().failure().is_some());
        disk.clear();
        log.append("shop", b"second").await.unwrap();
        assert!(log.condition().failure().is_none());
        assert_eq!(read_all(&log, &mut reader).await, ["first", "second"], "{space} bytes");
        disk.cut_power(0);
        drop(log);
        let (log, mut reader) = disk.open(folder.path(), Position::default());
        assert_eq!(read_all(&log, &mut reader).await, ["first", "second"], "{space} bytes, after a power cut");
    }
}

/// Every operation fails once: of an append, of a new segment, and of the repair after a failure.
#[tokio::test]
async fn a_disk_that_is_full_at_any_operation_refuses_and_loses_nothing() {
    for operations in 0..60 {
        let (folder, disk) = (tempfile::tempdir().unwrap(), FaultyDisk::default());
        let (log, mut reader) = disk.open(folder.path(), Position::default());
        disk.state().operations = Some(operations);
        let mut answered = Vec::new();
        for number in 0..20 {
            let record = format!("record {number}");
            match log.append("shop", record.as_bytes()).await {
                Ok(()) => answered.push(record),
                // The disk has room for the repair only after another attempt.
                Err(AppendError::Disk(_)) => disk.state().operations = Some(usize::from(number % 2 == 0)),
                Err(error) => panic!("{error}"),
            }
        }
        disk.clear();
        log.append("shop", b"last").await.unwrap();
        answered.push("last".to_owned());
        assert_eq!(read_all(&log, &mut reader).await, answered, "{operations} operations");
        disk.cut_power(0);
        drop(log);
        let (log, mut reader) = disk.open(folder.path(), Position::default());
        assert_eq!(read_all(&log, &mut reader).await, answered, "{operations} operations, after a power cut");
    }
}
