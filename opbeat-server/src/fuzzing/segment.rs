//! A segment of the queue after a crash, or on a failing disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::queue::fuzzing::{Part, frame, reopen};
use crate::queue::{payloads_of_damaged, split_damaged};

/// The bits of an input's first byte: what the other bytes are.
const IS_WRITTEN: u8 = 1;
const IS_EARLIER: u8 = 2;
const IS_CUT: u8 = 4;
const HAS_ZEROS: u8 = 8;

/// The largest number of changed bytes.
const MAX_CHANGES: usize = 8;

/// The bytes that all records of this version start with.
const MARK: &[u8] = b"\xf1Ob\x02";

/// The payload of the record that is appended afterwards.
const APPENDED: &[u8] = b"appended after the queue was opened";

/// Numbers the folders of this process.
static FOLDERS: AtomicU64 = AtomicU64::new(0);

/// Opens the queue with a segment of any bytes, or with one that was written and then changed. Then it appends a record,
/// and reads all.
pub fn queue_segment(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    if kind & IS_WRITTEN == 0 {
        read(rest, kind & IS_EARLIER != 0);
    } else if let Some(written) = Written::of(*kind, rest) {
        written.check();
    }
}

/// Returns the records that are read of a segment with these bytes, without the appended one.
fn read(bytes: &[u8], is_earlier: bool) -> Vec<Vec<u8>> {
    let folder = Folder::new();
    let reopened = reopen(&folder.0, bytes, is_earlier, APPENDED).expect("the folder can be read and written");
    let (mut all, mut records) = (Vec::new(), Vec::new());
    let mut parts = reopened.parts;
    assert_eq!(parts.pop(), Some(Part::Record(APPENDED.to_vec())), "a record is appended after any bytes");
    for part in parts {
        match part {
            Part::Record(payload) => {
                all.extend(frame(&payload, is_earlier));
                records.push(payload);
            }
            Part::Damage(damaged) => {
                assert!(!damaged.is_empty(), "damage has bytes");
                assert_eq!(split_damaged(&damaged).concat(), damaged, "each damaged byte is in one record");
                assert!(split_damaged(&damaged).into_iter().all(|record| payloads_of_damaged(record).count() <= 4));
                all.extend(damaged);
            }
        }
    }
    assert!(all == bytes[..reopened.kept], "each byte that is not cut off is read once");
    records
}

/// A segment whose records are known.
struct Written {
    is_earlier: bool,
    bytes: Vec<u8>,
    /// The payloads of the records that are whole.
    whole: Vec<Vec<u8>>,
    is_changed: bool,
}

impl Written {
    /// Writes records, and changes bytes of them.
    ///
    /// The input is a position to cut the segment at (two bytes), the number of zeros at its end, the number of changes
    /// and each change (two bytes of its position, and the bits). Then follow the records, each after its length.
    fn of(kind: u8, input: &[u8]) -> Option<Self> {
        let is_earlier = kind & IS_EARLIER != 0;
        let ([cut_low, cut_high, zeros, changes], input) = input.split_first_chunk::<4>()?;
        let (changes, mut input) = input.split_at_checked(usize::from(*changes) % (MAX_CHANGES + 1) * 3)?;
        let (mut original, mut records) = (Vec::new(), Vec::new());
        while let Some((length, rest)) = input.split_first() {
            let (payload, rest) = rest.split_at(usize::from(*length).min(rest.len()));
            original.extend(frame(payload, is_earlier));
            records.push((payload, original.len()));
            input = rest;
        }
        // A record within a record is not what the server writes, and would be found after damage.
        let has_record = |payload: &[u8]| memchr::memmem::find(payload, MARK).is_some() || has_earlier_record(payload);
        if records.iter().any(|(payload, _)| has_record(payload)) {
            return None;
        }
        let mut bytes = original.clone();
        for [low, high, bits] in changes.as_chunks().0 {
            let length = bytes.len().max(1);
            if let Some(byte) = bytes.get_mut(position(*low, *high) % length) {
                *byte ^= bits;
            }
        }
        let is_changed = bytes != original;
        if kind & IS_CUT != 0 {
            bytes.truncate(position(*cut_low, *cut_high) % (bytes.len() + 1));
        }
        // Zeros at the end can complete a record that was cut off.
        if kind & HAS_ZEROS != 0 {
            bytes.resize(bytes.len() + usize::from(*zeros), 0);
        }
        let mut start = 0;
        let mut whole = Vec::new();
        for (payload, end) in records {
            let is_whole = bytes.get(start..end) == Some(&original[start..end]);
            whole.extend(is_whole.then(|| payload.to_vec()));
            start = end;
        }
        Some(Self { is_earlier, bytes, whole, is_changed })
    }

    fn check(self) {
        let read = read(&self.bytes, self.is_earlier);
        if self.is_earlier && self.is_changed {
            // Without marks, a record after a damaged length is not always found. It is parked with the damage.
            let mut whole = self.whole.iter();
            assert!(read.iter().all(|record| whole.any(|whole| whole == record)), "only whole records are read");
        } else {
            assert_eq!(read, self.whole, "all whole records are read, and no other");
        }
    }
}

/// Returns whether a payload contains a record of an earlier version, which starts with its length.
fn has_earlier_record(payload: &[u8]) -> bool {
    (0..payload.len()).any(|at| {
        let rest = &payload[at..];
        let Some((length, _)) = rest.split_first_chunk::<4>() else { return false };
        let inner = rest.get(8..).and_then(|inner| inner.get(..u32::from_le_bytes(*length) as usize));
        inner.is_some_and(|inner| rest.starts_with(&frame(inner, true)))
    })
}

fn position(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}

/// An empty folder, which is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("opbeat-fuzzing-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the folder of temporary files can be written");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is left over harms nothing.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
