//! The id of a queue on the disk of this machine.
//!
//! Several servers with such a queue can have one database of PostgreSQL. The store keeps the cursor of each by this id.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::log::{has_segments, private};
use crate::random::random;

/// The file with the id.
const FILE: &str = "id";

/// The name of the cursor of queues from before they had ids.
const UNNAMED: &str = "intake";

/// The id of a queue, which is created with its folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueueId(u128);

impl QueueId {
    /// Returns the id of the queue in a folder. Creates both if they are missing.
    ///
    /// A folder with records and without an id is that of an earlier version, and keeps the cursor that it had.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written, or the file contains no id.
    pub(crate) fn of(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => return Self::parse(&text).ok_or_else(|| damaged(&path)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // 0 is the id of queues without one.
        let id = if has_segments(folder)? { Self::default() } else { Self(u128::from_le_bytes(random()).max(1)) };
        let next = folder.join("id.next");
        let mut file = private().append(false).write(true).create(true).truncate(true).open(&next)?;
        writeln!(file, "{id}")?;
        file.sync_all()?;
        fs::rename(&next, &path)?;
        // The name must survive a crash as well.
        File::open(folder)?.sync_all()?;
        Ok(id)
    }

    fn parse(text: &str) -> Option<Self> {
        match text.trim_end() {
            UNNAMED => Some(Self::default()),
            digits if digits.len() == 32 => u128::from_str_radix(digits, 16).ok().map(Self),
            _ => None,
        }
    }
}

impl Display for QueueId {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => formatter.write_str(UNNAMED),
            id => write!(formatter, "{id:032x}"),
        }
    }
}

fn damaged(path: &Path) -> io::Error {
    let message = format!(
        "the file {} does not contain the id of the queue; write the one that the table queue_cursor of the database has",
        path.display()
    );
    io::Error::new(ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_keeps_the_id_that_it_was_created_with() {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let [new, other, earlier] = folders.each_ref().map(|folder| folder.path().join("queue"));
        let id = QueueId::of(&new).unwrap();
        fs::write(new.join("00000000000000000001.records"), b"").unwrap();
        assert_eq!(QueueId::of(&new).unwrap(), id);
        assert_ne!(QueueId::of(&other).unwrap(), id);
        fs::create_dir(&earlier).unwrap();
        fs::write(earlier.join("00000000000000000001.records"), b"").unwrap();
        assert_eq!(QueueId::of(&earlier).unwrap(), QueueId::default());
        assert_eq!(fs::read_to_string(earlier.join("id")).unwrap(), "intake\n");
        fs::write(new.join("id"), b"books\n").unwrap();
        assert_eq!(QueueId::of(&new).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
