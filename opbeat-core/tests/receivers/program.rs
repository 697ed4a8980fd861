//! A receiver in its own process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;

/// A timeout that is long enough for any machine. Only failing tests wait this long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The variables that lead programs to a proxy of the network.
const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// Returns the folder of the programs.
pub(crate) fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receivers")
}

/// Returns the folder of an installed part. The first call installs what is missing, which needs package registries.
pub(crate) fn installed(part: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(install).join(part)
}

/// Runs the script, which returns at once if everything is installed. Its progress is shown while it runs.
fn install() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("receivers");
    let script = sources().join("install.sh");
    let status = Command::new("bash").arg(&script).arg(&folder).status();
    let is_installed = status.as_ref().is_ok_and(std::process::ExitStatus::success);
    assert!(
        is_installed,
        "the receivers are not installed in {}: run opbeat-core/tests/receivers/install.sh, which says what is missing",
        folder.display()
    );
    folder
}

pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts a program. Its standard output and its errors are read as one.
    pub(crate) fn start(mut command: Command) -> Self {
        for name in PROXIES {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let (sender, lines) = mpsc::channel();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let errors = sender.clone();
        thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| errors.send(line))
        });
        Self { child, lines }
    }

    /// Waits for a line that contains a text.
    pub(crate) fn line_with(&self, text: &str) -> String {
        let mut printed = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => printed.push(line),
                Err(_) => panic!("the program did not print {text:?}:\n{}", printed.join("\n")),
            }
        }
    }

    /// Returns the next account that the program prints: of its port, and then of each request.
    pub(crate) fn account(&self) -> Json {
        const PREFIX: &str = "account ";
        let line = self.line_with(PREFIX);
        serde_json::from_str(line.strip_prefix(PREFIX).expect("an account begins its line")).unwrap()
    }

    /// Returns the URL of a receiver that prints its port as the first account.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.account()["port"])
    }
}
