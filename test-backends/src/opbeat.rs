//! This project's server, as a process of the real binary.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::program::free_port;

/// The number of bytes of the log that a panic message contains.
const QUOTED_BYTES: u64 = 8 << 10;

/// The text before the URL in the first line that the binary prints.
const GREETING: &str = "Opbeat listens on ";

/// A process of the binary, which is killed when the value is dropped.
///
/// Its log is printed if the test fails.
#[derive(Debug)]
pub struct Opbeat {
    binary: PathBuf,
    arguments: Vec<String>,
    variables: Vec<(OsString, OsString)>,
    url: String,
    log: File,
    child: Option<Child>,
}

impl Opbeat {
    /// Starts a command of the binary that listens, such as `serve`, and waits until it accepts connections.
    ///
    /// # Panics
    ///
    /// Panics with the log if the process ends instead.
    #[must_use]
    pub fn start(binary: impl AsRef<Path>, command: &str, data: &Path, options: &[&str]) -> Self {
        Self::start_with(binary, command, data, options, Vec::new())
    }

    /// Starts a command as [`start`](Self::start) does, with variables of the environment beside those of this process.
    ///
    /// # Panics
    ///
    /// Panics with the log if the process ends instead.
    #[must_use]
    pub fn start_with(
        binary: impl AsRef<Path>,
        command: &str,
        data: &Path,
        options: &[&str],
        variables: Vec<(OsString, OsString)>,
    ) -> Self {
        // A port from `:0` could be another's while the process is away.
        let listen = format!("127.0.0.1:{}", free_port());
        let data = data.to_str().expect("the paths of tests are UTF-8");
        let arguments = [command, "--listen", &listen, "--data", data].into_iter().chain(options.iter().copied());
        let mut opbeat = Self {
            binary: binary.as_ref().to_owned(),
            arguments: arguments.map(str::to_owned).collect(),
            variables,
            url: format!("http://{listen}"),
            log: tempfile::tempfile().expect("the directory for temporary files is writable"),
            child: None,
        };
        opbeat.start_again();
        opbeat
    }

    /// Returns the URL that the process listens on.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Starts the process again after it was killed or stopped: with the same options, on the same port.
    ///
    /// # Panics
    ///
    /// Panics if the process runs, or with its log if it ends instead of accepting connections.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "{:?} runs already", self.arguments);
        let mut child = Command::new(&self.binary)
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log.try_clone().expect("an open file can be opened twice"))
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.binary.display()));
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("standard output is piped"));
        self.child = Some(child);
        // An error leaves the line empty.
        let _ = output.read_line(&mut line);
        // The rest is read so that the process can always write.
        thread::spawn(move || output.lines().map_while(Result::ok).for_each(drop));
        let url = line.trim().strip_prefix(GREETING);
        assert_eq!(url, Some(self.url.as_str()), "{:?} did not start:\n{}", self.arguments, self.newest_log());
    }

    /// Returns the id of the process, if it was started and not ended by this value.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Returns whether the process runs.
    #[must_use]
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_none()))
    }

    /// Kills the process with SIGKILL, and waits until it has ended. Does nothing if it does not run.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error means that the process has already ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops the process with SIGTERM, and returns how it ended.
    ///
    /// # Panics
    ///
    /// Panics if the process does not run.
    pub fn stop(&mut self) -> ExitStatus {
        self.end(Signal::TERM)
    }

    /// Stops the process as Ctrl-C in a terminal does, and returns how it ended.
    ///
    /// # Panics
    ///
    /// Panics if the process does not run.
    pub fn interrupt(&mut self) -> ExitStatus {
        self.end(Signal::INT)
    }

    /// Suspends the process: connections stay open, and nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Continues after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let mut child = self.child.take().expect("the process runs");
        child.wait().expect("a child can be waited for")
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("the id of a process is positive");
            // An error means that the process has already ended. It is reaped later, so the id is still its own.
            let _ = kill_process(id, signal);
        }
    }

    /// Returns the newest lines of the log.
    fn newest_log(&self) -> String {
        let size = self.log.metadata().map_or(0, |metadata| metadata.len());
        let start = size.saturating_sub(QUOTED_BYTES);
        let mut log = vec![0; usize::try_from(size - start).unwrap_or_default()];
        // The process writes at the position of the file, which must not change. An error leaves the log empty.
        let read = self.log.read_at(&mut log, start).unwrap_or_default();
        String::from_utf8_lossy(&log[..read]).into_owned()
    }
}

impl Drop for Opbeat {
    #[expect(clippy::print_stderr, reason = "the test harness shows the output of failed tests")]
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("the log of {:?}:\n{}\n", self.arguments, self.newest_log());
        }
    }
}
