//! Builds repositories with fixed authors and dates, without the configuration of the user.

use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use opbeat_repository::{Budget, Repository};
use tempfile::TempDir;

/// The time of the first commit, in seconds since 1970.
pub(crate) const START: i64 = 1_700_000_000;

pub(crate) struct Repo {
    folder: TempDir,
    clock: Cell<i64>,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let repo = Self { folder: tempfile::tempdir().expect("a temporary folder"), clock: Cell::new(START) };
        repo.git(&["init", "--quiet", "--initial-branch=main", "."]);
        repo
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::open(self.path()).expect("a repository")
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_as("Ana", arguments)
    }

    pub(crate) fn git_as(&self, author: &str, arguments: &[&str]) -> String {
        let output = self.command(author, arguments).output().unwrap_or_else(|error| no_git(&error));
        assert!(
            output.status.success(),
            "git {arguments:?} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn command(&self, author: &str, arguments: &[&str]) -> Command {
        let mail = format!("{}@example.org", author.to_lowercase());
        let date = format!("@{} +0000", self.clock.get());
        let mut command = Command::new("git");
        command
            .args(arguments)
            .current_dir(self.path())
            .env_remove("GIT_DIR")
            .env("HOME", self.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", author)
            .env("GIT_AUTHOR_EMAIL", &mail)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", author)
            .env("GIT_COMMITTER_EMAIL", &mail)
            .env("GIT_COMMITTER_DATE", &date);
        command
    }

    /// Feeds `git fast-import`.
    pub(crate) fn fast_import(&self, write: impl FnOnce(&mut dyn Write)) {
        let mut command = self.command("Ana", &["fast-import", "--quiet"]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap_or_else(|error| no_git(&error));
        let mut input = std::io::BufWriter::new(child.stdin.take().expect("a pipe"));
        write(&mut input);
        input.flush().expect("git reads its input");
        drop(input);
        assert!(child.wait().expect("git ends").success());
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("a file")
    }

    /// Replaces a text that the file contains once.
    pub(crate) fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {path}");
        self.write(path, text.replace(from, to));
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let target = self.path().join(to);
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        fs::rename(self.path().join(from), target).expect("a file");
    }

    /// Commits everything, an hour after the commit before. Returns the hash.
    pub(crate) fn commit(&self, author: &str, message: &str) -> String {
        self.clock.set(self.clock.get() + 3600);
        self.git(&["add", "--all"]);
        self.git_as(author, &["commit", "--quiet", "--allow-empty", "--message", message]);
        self.head()
    }

    pub(crate) fn merge(&self, author: &str, branch: &str) -> String {
        self.clock.set(self.clock.get() + 3600);
        self.git_as(author, &["merge", "--quiet", "--no-ff", "--no-edit", branch]);
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Makes a bare copy in a folder of its own.
    pub(crate) fn bare_copy(&self, folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        self.git(&["clone", "--quiet", "--bare", ".", path.to_str().expect("UTF-8")]);
        path
    }
}

fn no_git(error: &std::io::Error) -> ! {
    panic!("these tests run the command git, which failed to start ({error}): install git and put it on the path")
}

/// Enough time for a loaded machine.
pub(crate) fn budget() -> Budget {
    Budget::new(Duration::from_secs(120))
}

/// A small generator of numbers, so that a failure can be repeated.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }
}
