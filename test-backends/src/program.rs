//! Finds and runs programs.

use std::env;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

/// A new empty directory. [`Server`](crate::server::Server) removes it.
pub(crate) fn directory() -> PathBuf {
    tempfile::Builder::new().prefix("opbeat-").tempdir().expect("the directory for temporary files is writable").keep()
}

/// Returns true if the user of the process, who owns the files that it creates, is root.
pub(crate) fn is_root() -> bool {
    let file = tempfile::tempfile().expect("the directory for temporary files is writable");
    file.metadata().expect("an open file has metadata").uid() == 0
}

/// A TCP port of the loopback interface that no process listens on.
///
/// It is below the ports that Linux and macOS give to outgoing connections, so that none of these takes it before the
/// server does, or while the server is away. Each test process starts its search at another port, a stride away from the
/// process before, so that two of them do not choose the same port before they listen on it.
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;
    const STRIDE: u32 = 97;
    static TAKEN: AtomicU16 = AtomicU16::new(0);

    let start =
        u16::try_from(process::id().wrapping_mul(STRIDE) % u32::from(COUNT)).expect("the remainder is below 20,000");
    loop {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        assert!(taken < COUNT, "no TCP port from {FIRST} is free");
        let port = FIRST + (start + taken) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Finds a program in `directories`, in `PATH` or in the system's directories.
pub(crate) fn find(name: &str, directories: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/bin", "/usr/sbin", "/usr/local/bin"].map(PathBuf::from);
    let path = directories.iter().cloned().chain(env::split_paths(&path)).chain(system);
    path.map(|directory| directory.join(name)).find(|program| program.is_file())
}

/// The path of a program that must be installed.
///
/// # Panics
///
/// Panics if the program is missing. The message contains Debian's package.
pub(crate) fn program(name: &str, directories: &[PathBuf], package: &str) -> PathBuf {
    find(name, directories)
        .unwrap_or_else(|| panic!("{name} is missing: install it, for example with `apt-get install {package}`"))
}

/// Runs `command` to its end, and returns what it prints.
///
/// # Panics
///
/// Panics with the output if the command fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed with {}:\n{text}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Makes a directory the property of a user and its group.
///
/// # Panics
///
/// Panics if the user does not exist, or if the user of the process is not root.
pub(crate) fn give(directory: &Path, user: &str) {
    run(Command::new("chown").arg(format!("{user}:{user}")).arg(directory));
}
