//! Reads around the parts of a file that the disk cannot read.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// The size of a block in bytes. Disks and systems read no smaller part.
const BLOCK: u64 = 4_096;

/// The bytes of a part of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Readable {
    /// The bytes, with zeros in place of unreadable ones. Zeros are never a valid record.
    pub(super) bytes: Vec<u8>,
    /// The number of unreadable bytes.
    pub(super) unreadable: u64,
}

/// Reads a part of a file, at once if possible, else block by block. It ends earlier if the file does.
pub(super) fn read_around(file: &mut (impl Read + Seek), part: Range<u64>) -> Readable {
    let mut bytes = Vec::new();
    let all = file.seek(SeekFrom::Start(part.start));
    let size = part.end.saturating_sub(part.start);
    if all.and_then(|_| file.by_ref().take(size).read_to_end(&mut bytes)).is_ok() {
        return Readable { bytes, unreadable: 0 };
    }
    bytes.clear();
    let mut unreadable = 0;
    let mut at = part.start;
    let mut block = Vec::new();
    while at < part.end {
        let end = (at - at % BLOCK + BLOCK).min(part.end);
        block.clear();
        let read = file.seek(SeekFrom::Start(at)).and_then(|_| file.by_ref().take(end - at).read_to_end(&mut block));
        match read {
            Ok(_) => bytes.extend_from_slice(&block),
            Err(_) => {
                bytes.resize(bytes.len() + (end - at) as usize, 0);
                unreadable += end - at;
            }
        }
        at = end;
    }
    Readable { bytes, unreadable }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Cursor};

    use super::*;

    /// A file on a disk with one unreadable byte.
    struct Disk {
        bytes: Cursor<Vec<u8>>,
        unreadable: u64,
    }

    impl Read for Disk {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let at = self.bytes.position();
            match self.unreadable.checked_sub(at) {
                Some(0) => Err(io::Error::other("the sector cannot be read")),
                // Disks return the sectors before an unreadable one.
                Some(before) => self.bytes.by_ref().take(before).read(buffer),
                None => self.bytes.read(buffer),
            }
        }
    }

    impl Seek for Disk {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.bytes.seek(to)
        }
    }

    fn read(unreadable: u64, part: Range<u64>) -> Readable {
        read_around(&mut Disk { bytes: Cursor::new(vec![7; 10_000]), unreadable }, part)
    }

    #[test]
    fn only_the_unreadable_block_is_lost() {
        assert_eq!(read(20_000, 100..9_000), Readable { bytes: vec![7; 8_900], unreadable: 0 });
        let Readable { bytes, unreadable } = read(5_000, 100..9_000);
        let lost = 4_096 - 100..8_192 - 100;
        assert_eq!((bytes.len(), unreadable), (8_900, 4_096));
        assert!(bytes.iter().enumerate().all(|(at, byte)| *byte == if lost.contains(&at) { 0 } else { 7 }));
        assert_eq!(read(9_500, 8_200..9_600), Readable { bytes: vec![0; 1_400], unreadable: 1_400 });
    }
}
