//! A program that runs until the test process ends.

use std::collections::VecDeque;
use std::env;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The time until a server must accept connections.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The number of log lines that a panic message contains.
const QUOTED_LINES: usize = 30;

/// Runs a program in a process group of its own until standard input ends, which is when the test process closes it
/// or dies. Then the group is killed and its directory is removed.
///
/// The arguments are the signal, the directory and the command. The shell closes its own standard output, so that the
/// test process sees the end of the log if the program exits.
const SUPERVISE: &str = r#"
signal=$1 directory=$2
shift 2
setsid "$@" </dev/null 2>&1 &
exec >/dev/null 2>&1
read -r _
kill -s "$signal" -- "-$!"
wait
rm -rf -- "$directory"
"#;

/// A running server, which is killed when the value is dropped or when the test process ends.
#[derive(Debug)]
pub(super) struct Server {
    supervisor: Child,
}

impl Server {
    /// Starts `command` and waits until a line of its log contains `ready`.
    ///
    /// `signal` ends the server. `directory` is removed afterwards.
    pub(super) fn start(command: &Command, directory: &Path, signal: &str, ready: &'static str) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut supervisor = Command::new("sh");
        supervisor.args(["-c", SUPERVISE, "supervise", signal]).arg(directory).current_dir(directory);
        supervisor.arg(command.get_program()).args(command.get_args());
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => supervisor.env(variable, value),
                None => supervisor.env_remove(variable),
            };
        }
        // An interrupt from the terminal ends the test process, and the supervisor must survive to end the server.
        supervisor.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut supervisor = supervisor.spawn().expect("a shell is installed");
        let log = supervisor.stdout.take().expect("standard output is piped");
        let server = Self { supervisor };

        let (send, receive) = mpsc::channel();
        thread::spawn(move || follow(log, ready, &send));
        match receive.recv_timeout(START_TIMEOUT) {
            Ok(Ok(())) => server,
            Ok(Err(log)) => panic!("{name} exited before it was ready:\n{log}"),
            Err(error) => panic!("{name} did not write {ready:?} within {START_TIMEOUT:?}: {error}"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // The supervisor ends after the server. An error means that it has already ended.
        let _ = self.supervisor.wait();
    }
}

/// Reports the line that contains `ready`, or the end of the log if it comes first, and reads the rest so that the
/// server can always write.
fn follow(log: impl Read, ready: &str, report: &mpsc::Sender<Result<(), String>>) {
    let mut newest = VecDeque::new();
    let mut is_ready = false;
    for line in BufReader::new(log).split(b'\n').map_while(Result::ok) {
        if is_ready {
            continue;
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        is_ready = line.contains(ready);
        newest.push_back(line);
        if newest.len() > QUOTED_LINES {
            newest.pop_front();
        }
        if is_ready {
            // The receiver is gone after the timeout, when the test has already failed.
            let _ = report.send(Ok(()));
        }
    }
    if !is_ready {
        let _ = report.send(Err(Vec::from(newest).join("\n")));
    }
}

/// A new empty directory. [`Server`] removes it.
pub(super) fn directory() -> PathBuf {
    tempfile::Builder::new().prefix("opbeat-").tempdir().expect("the directory for temporary files is writable").keep()
}

/// Returns true if the user of the process, who owns the files that it creates, is root.
pub(super) fn is_root() -> bool {
    let file = tempfile::tempfile().expect("the directory for temporary files is writable");
    file.metadata().expect("an open file has metadata").uid() == 0
}

/// A TCP port of the loopback interface that no process listens on.
///
/// It is below the ports that Linux and macOS give to outgoing connections, so that none of these takes it before the
/// server does. Each test process starts its search at another port.
pub(super) fn free_port() -> u16 {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;
    static TAKEN: AtomicU16 = AtomicU16::new(0);

    let start = u16::try_from(process::id() % u32::from(COUNT)).expect("the remainder is below 20,000");
    loop {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        assert!(taken < COUNT, "no TCP port from {FIRST} is free");
        let port = FIRST + (start + taken) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The path of `program`, from `directories` or `PATH`.
///
/// # Panics
///
/// Panics if the program is missing. The message contains Debian's package.
pub(super) fn program(name: &str, directories: &[PathBuf], package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from);
    let path = directories.iter().cloned().chain(env::split_paths(&path)).chain(system);
    path.map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: install it, for example with `apt-get install {package}`"))
}

/// Runs `command` to its end.
///
/// # Panics
///
/// Panics with the output if the command fails.
pub(super) fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed with {}:\n{text}", output.status);
}
