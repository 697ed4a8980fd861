//! Records that are larger than RabbitMQ takes: each is kept in a file of its own, until the next start tries it again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::condition::Condition;
use super::log::private;
use super::message::Message;
use crate::random::hex;

/// The ending of a file that is being written.
const UNFINISHED: &str = "next";

/// The folder with the records.
#[derive(Clone, Debug)]
pub(super) struct SetAside {
    folder: PathBuf,
    condition: Arc<Condition>,
}

impl SetAside {
    /// Makes a handle on a folder, which is created with the first record.
    pub(super) fn new(folder: PathBuf, condition: Arc<Condition>) -> Self {
        let set_aside = Self { folder, condition };
        set_aside.count();
        set_aside
    }

    /// Returns the files of the records.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.extension().is_none()).collect();
        files.sort();
        files
    }

    /// Keeps a record that is larger than a limit in bytes. When this returns, it survives a crash.
    pub(super) fn add(&self, message: &Message, limit: usize) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(hex(&message.id));
        let next = path.with_extension(UNFINISHED);
        let mut file = private().create(true).append(false).write(true).truncate(true).open(&next)?;
        file.write_all(&message.encode().map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(&next, &path)?;
        // The names must survive a crash as well.
        File::open(&self.folder)?.sync_all()?;
        self.folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())?;
        self.count();
        tracing::error!(
            file = %path.display(),
            bytes = message.payload.len(),
            limit,
            "a record is larger than RabbitMQ takes; it is kept in this file; raise max_message_size of RabbitMQ, and \
             restart this process, which then publishes it"
        );
        Ok(())
    }

    /// Reads the record in a file.
    pub(super) fn read(&self, path: &Path) -> io::Result<Message> {
        Message::decode(&fs::read(path)?).ok_or_else(|| io::Error::other("the file contains no record"))
    }

    /// Removes the file of a record that is elsewhere by now.
    pub(super) fn remove(&self, path: &Path) {
        if let Err(error) = fs::remove_file(path) {
            tracing::warn!(file = %path.display(), %error, "a file cannot be removed; its record is published again, with its id");
        }
        self.count();
    }

    fn count(&self) {
        self.condition.set_set_aside(self.files().len() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_and_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let condition = Arc::new(Condition::default());
        let open = || SetAside::new(folder.path().join("too-large"), Arc::clone(&condition));
        let message = Message { id: [7; 16], app_id: "shop".into(), payload: b"books".to_vec() };
        for _ in 0..2 {
            open().add(&message, 4).unwrap();
        }
        fs::write(folder.path().join("too-large/0a.next"), "cut off").unwrap();
        assert_eq!(condition.set_aside(), 1);
        let set_aside = open();
        let files = set_aside.files();
        assert_eq!((files.len(), set_aside.read(&files[0]).unwrap()), (1, message));
        set_aside.remove(&files[0]);
        assert_eq!((set_aside.files().len(), condition.set_aside()), (0, 0));
    }
}
