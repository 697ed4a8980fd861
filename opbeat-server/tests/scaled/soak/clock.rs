//! The clock of the servers, which a test steps.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::deployment::Variables;

/// Folders of Debian with libfaketime, one for each architecture.
const LIBRARIES: &str = "/usr/lib";

/// A clock that is ahead of the system's clock by the number of seconds in a file, or behind it.
#[derive(Debug)]
pub(crate) struct Clock {
    library: PathBuf,
    folder: TempDir,
}

impl Clock {
    /// Returns a clock that shows the system's time, or the reason why there is none.
    pub(crate) fn new() -> Result<Self, String> {
        let architectures = fs::read_dir(LIBRARIES).into_iter().flatten().filter_map(Result::ok);
        let library = architectures
            .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
            .find(|library| library.is_file())
            .ok_or("libfaketime is not installed; on Debian: `apt-get install faketime`")?;
        let clock = Self { library, folder: tempfile::tempdir().unwrap() };
        clock.set(0);
        Ok(clock)
    }

    /// Returns the variables with which a process has this clock. Clocks that only measure lengths stay as they are.
    pub(crate) fn variables(&self) -> Variables {
        let file = self.file().into_os_string();
        let variables: [(&str, OsString); 4] = [
            ("LD_PRELOAD", self.library.clone().into_os_string()),
            ("FAKETIME_TIMESTAMP_FILE", file),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            // A process reads the file again after a second.
            ("FAKETIME_CACHE_DURATION", "1".into()),
        ];
        variables.into_iter().map(|(name, value)| (name.into(), value)).collect()
    }

    /// Sets the number of seconds by which the clock is ahead of the system's clock.
    pub(crate) fn set(&self, seconds: i64) {
        // A process that reads the file sees the old number or the new one.
        let new = self.folder.path().join("new");
        fs::write(&new, format!("{seconds:+}\n")).unwrap();
        fs::rename(new, self.file()).unwrap();
    }

    /// Removes the shared memory of a killed process, which a new process with the same id could not use.
    pub(crate) fn forget(id: u32) {
        for name in [format!("faketime_shm_{id}"), format!("sem.faketime_sem_{id}")] {
            // An error means that there is none.
            let _ = fs::remove_file(PathBuf::from("/dev/shm").join(name));
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}
