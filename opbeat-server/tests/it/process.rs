//! The real binary as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Starts the real binary, and returns it with its address once it is ready.
pub(crate) fn serve(data: &Path) -> (Child, String) {
    serve_with(data, &[])
}

/// Starts the real binary with further arguments.
pub(crate) fn serve_with(data: &Path, arguments: &[&str]) -> (Child, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_opbeat"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(arguments);
    start(command.stderr(Stdio::null()))
}

/// Starts a server by a command, and returns it with its address once it is ready.
pub(crate) fn start(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("Opbeat listens on ").expect("the first line contains the address").to_owned();
    (child, url)
}
