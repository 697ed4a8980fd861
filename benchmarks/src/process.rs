//! Processes that respond to commands, one per line, with numbers.

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

/// The end that sends commands.
#[derive(Debug)]
pub struct Process {
    name: String,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    child: Child,
}

impl Process {
    /// Starts this program again.
    pub fn start(name: &str, arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs once more");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { name: name.to_owned(), input, output, child }
    }

    /// Sends a command, and waits for the response.
    pub fn ask<const N: usize>(&mut self, question: &str) -> [i64; N] {
        writeln!(self.input, "{question}").expect("the process reads its input");
        let mut response = String::new();
        self.output.read_line(&mut response).expect("the process responds");
        assert!(!response.is_empty(), "{} failed: its message is above", self.name);
        let numbers: Vec<i64> = response.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().unwrap_or_else(|_| panic!("{} responded to {question:?} with {response:?}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process also ends when its input ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The end that responds: passes on the words of each command until the input ends.
pub fn respond(mut reply: impl FnMut(&[&str]) -> String) -> ExitCode {
    for line in stdin().lock().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        println!("{}", reply(&words));
        stdout().flush().expect("the output is read");
    }
    ExitCode::SUCCESS
}
