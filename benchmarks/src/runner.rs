//! The parent's end of a variant's process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What one request took in one round, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Round {
    pub wall: i64,
    /// Processor time of the request's thread.
    pub thread: i64,
    /// Processor time of all other threads.
    pub others: i64,
    /// Transactions and spans of the whole round that were not delivered.
    pub lost: i64,
}

/// A process that runs one variant.
pub struct Runner {
    pub name: &'static str,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    child: Child,
}

impl Runner {
    pub fn start(name: &'static str) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .arg(name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program runs once more");
        let input = child.stdin.take().expect("it is piped");
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { name, input, output, child }
    }

    /// Runs a number of requests.
    pub fn run(&mut self, path: &str, requests: u64) -> Round {
        let numbers = self.ask(&format!("run {path} {requests}"));
        let [wall, thread, others, lost] = numbers[..] else { panic!("{} answered {numbers:?}", self.name) };
        Round { wall, thread, others, lost }
    }

    /// Counts the allocations of one request.
    pub fn count(&mut self, path: &str) -> i64 {
        self.ask(&format!("count {path}"))[0]
    }

    fn ask(&mut self, question: &str) -> Vec<i64> {
        writeln!(self.input, "{question}").expect("the variant listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the variant answers");
        assert!(!answer.is_empty(), "{} failed: its message is above", self.name);
        answer.split_whitespace().map(|number| number.parse().expect("variants answer with numbers")).collect()
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // It ends with its input as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
