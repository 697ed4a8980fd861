//! A program with an agent.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use crate::install::{installed, sources};
use crate::recorder::PATIENCE;

/// The variables that lead agents to a proxy of the network.
const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

pub(crate) struct Program {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    stderr: NamedTempFile,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a Python program of a folder, which uses the agent or command of the old packages.
pub(crate) fn old_python(folder: &str, file: &str) -> Command {
    let mut command = python("python", folder, file);
    command.env("PYTHONPATH", sources().join("python-shim"));
    command
}

/// Returns a Python program of a folder, with a virtual environment.
pub(crate) fn python(environment: &str, folder: &str, file: &str) -> Command {
    let environment = installed(environment);
    let mut command = Command::new(environment.join("bin/python"));
    command.arg(file).current_dir(sources().join(folder));
    command.env("PYTHONPYCACHEPREFIX", environment.join("pycache"));
    command
}

/// Returns a Node program of a folder, with the modules that are installed for it.
pub(crate) fn node(folder: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command.args(arguments).current_dir(sources().join(folder));
    command.env("NODE_PATH", installed(folder).join("node_modules"));
    command
}

impl Program {
    pub(crate) fn start(mut command: Command, environment: &[(String, String)]) -> Self {
        let stderr = NamedTempFile::new().unwrap();
        for name in PROXIES {
            command.env_remove(name);
        }
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(stderr.path()).unwrap());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines, stderr }
    }

    /// Returns the program's own account of what it did: the line that starts with `account`.
    pub(crate) async fn account(&mut self) -> Value {
        let line = async {
            while let Some(line) = self.lines.recv().await {
                if let Some(account) = line.strip_prefix("account ") {
                    return Some(serde_json::from_str(account).unwrap());
                }
            }
            None
        };
        let found = tokio::time::timeout(PATIENCE, line).await;
        found.ok().flatten().unwrap_or_else(|| panic!("the program printed no account:\n{}", self.printed()))
    }

    /// Closes the standard input, and waits until the program has ended. Returns its status and what it printed as errors.
    pub(crate) async fn ended(mut self) -> (ExitStatus, String) {
        drop(self.child.stdin.take());
        let last_line = async { while self.lines.recv().await.is_some() {} };
        let ended = tokio::time::timeout(PATIENCE, last_line).await;
        assert!(ended.is_ok(), "the program did not end:\n{}", self.printed());
        (self.child.wait().unwrap(), self.printed())
    }

    fn printed(&self) -> String {
        std::fs::read_to_string(self.stderr.path()).unwrap()
    }
}
