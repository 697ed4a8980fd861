//! The directory in a file of the data folder, for a start without the database.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::contents::Contents;

/// The first word of the file.
const MAGIC: &str = "opbeat-directory";

/// The version of the file's form. A file of another version is ignored.
const VERSION: &str = "1";

/// The largest file that is read, in bytes. 100,000 apps take half of it.
const MAX_SIZE: u64 = 64 << 20;

/// The file with the last contents that were read from the source.
///
/// Its first line has the version, and the CRC-32 of the rest, which is JSON. It contains hashes of tokens only.
#[derive(Debug)]
pub(super) struct Snapshot {
    path: PathBuf,
    /// The contents of the file, as far as they are known.
    saved: Option<Arc<Contents>>,
    is_failing: bool,
}

impl Snapshot {
    /// Makes the snapshot in a file, which may be missing.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, saved: None, is_failing: false }
    }

    /// Loads the contents. A file that is damaged is reported and ignored.
    pub(super) fn load(&mut self) -> Option<Arc<Contents>> {
        match read(&self.path) {
            Ok(contents) => {
                let contents = Arc::new(contents);
                self.saved = Some(Arc::clone(&contents));
                Some(contents)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                tracing::error!(
                    %error,
                    file = %self.path.display(),
                    "the snapshot of tokens and origins cannot be read and is ignored; until the database answers, all \
                     requests of agents are answered with 503"
                );
                None
            }
        }
    }

    /// Writes the contents, unless the file has them already.
    pub(super) fn save(&mut self, contents: &Arc<Contents>) {
        if self.saved.as_ref() == Some(contents) {
            return;
        }
        match write(&self.path, contents) {
            Ok(()) => {
                self.saved = Some(Arc::clone(contents));
                self.is_failing = false;
            }
            Err(error) if self.is_failing => tracing::debug!(%error, "the snapshot still cannot be written"),
            Err(error) => {
                self.is_failing = true;
                tracing::warn!(
                    %error,
                    file = %self.path.display(),
                    "the snapshot of tokens and origins cannot be written; check the free space and the permissions of \
                     the data folder, since a start without the database needs this file"
                );
            }
        }
    }
}

fn read(path: &Path) -> io::Result<Contents> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > MAX_SIZE) {
        return Err(io::Error::other("the file is too large"));
    }
    let damaged = || io::Error::new(ErrorKind::InvalidData, "the file is damaged");
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
    let (head, contents) = (&bytes[..end], &bytes[end + 1..]);
    let head = std::str::from_utf8(head).map_err(|_| damaged())?;
    match head.split(' ').collect::<Vec<_>>()[..] {
        [MAGIC, VERSION, checksum] if *checksum == checksum_of(contents) => {
            serde_json::from_slice(contents).map_err(io::Error::other)
        }
        [MAGIC, VERSION, _] => Err(damaged()),
        [MAGIC, ..] => Err(io::Error::other("another version of this server wrote the file")),
        _ => Err(damaged()),
    }
}

/// Replaces the file. A crash leaves the old one or the new one.
fn write(path: &Path, contents: &Contents) -> io::Result<()> {
    let contents = serde_json::to_vec(contents)?;
    let new = path.with_extension("new");
    let mut file = private().open(&new)?;
    writeln!(file, "{MAGIC} {VERSION} {}", checksum_of(&contents))?;
    file.write_all(&contents)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The name survives a crash only after the folder is synced. Windows cannot open folders as files.
    #[cfg(unix)]
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())?;
    Ok(())
}

fn checksum_of(contents: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(contents))
}

/// Returns options to replace the content of a file that only its owner may read.
fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{AppLimits, BrowserApp, TokenOwner};
    use crate::store::UnknownServices;

    fn contents() -> Arc<Contents> {
        let [organization_id, organization, app_id, app] = ["0a", "acme", "0b", "shop"].map(str::to_owned);
        let token = TokenOwner {
            token_hash: [7; 32],
            organization_id: organization_id.clone(),
            organization: organization.clone(),
            app_id: app_id.clone(),
            app: app.clone(),
        };
        let apps = [(organization_id.clone(), [(app.clone(), app_id.clone())].into())].into();
        let unknown_services = [(organization_id.clone(), UnknownServices::Create)].into();
        let origins = ["https://*.shop.example", "null"].map(|origin| origin.parse().unwrap()).into();
        let limits = AppLimits { bytes_per_second: Some(9), ..AppLimits::default() };
        let limits = [(app_id.clone(), limits)].into();
        let browser_app = BrowserApp { organization_id, organization, app_id, app, origins };
        Arc::new(Contents { tokens: vec![token], browser_apps: vec![browser_app], unknown_services, apps, limits })
    }

    #[test]
    fn a_snapshot_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.json");
        assert_eq!(Snapshot::new(path.clone()).load(), None);
        Snapshot::new(path.clone()).save(&contents());
        assert_eq!(Snapshot::new(path.clone()).load(), Some(contents()));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["directory.json"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_snapshot_of_an_earlier_version_has_no_limits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.json");
        let earlier = r#"{"tokens":[],"browser_apps":[],"unknown_services":{"0a":"create"},"apps":{}}"#;
        fs::write(&path, format!("{MAGIC} {VERSION} {}\n{earlier}", checksum_of(earlier.as_bytes()))).unwrap();
        let contents = Snapshot::new(path).load().unwrap();
        assert!(contents.limits.is_empty() && contents.unknown_services.len() == 1, "{contents:?}");
    }

    #[test]
    fn only_other_contents_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.json");
        let mut snapshot = Snapshot::new(path.clone());
        snapshot.save(&contents());
        fs::remove_file(&path).unwrap();
        snapshot.save(&contents());
        assert!(!path.exists());
        snapshot.save(&Arc::default());
        assert_eq!(Snapshot::new(path).load(), Some(Arc::default()));
    }

    #[test]
    fn each_changed_byte_and_each_cut_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("directory.json");
        Snapshot::new(path.clone()).save(&contents());
        let bytes = fs::read(&path).unwrap();
        for index in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[index] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert_eq!(Snapshot::new(path.clone()).load(), None, "byte {index}");
            fs::write(&path, &bytes[..index]).unwrap();
            assert_eq!(Snapshot::new(path.clone()).load(), None, "{index} bytes");
        }
    }
}
