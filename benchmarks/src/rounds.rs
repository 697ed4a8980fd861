//! Rounds of all variants in turn.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::variants::NAMES;

/// Requests of one round, few enough that the machine's mood is the same in neighbouring rounds.
const REQUESTS: usize = 1_024;

/// Rounds of each variant.
const ROUNDS: usize = 61;

/// The two kinds of requests.
pub const PATHS: [&str; 2] = ["/users/42", "/spans"];

/// What one request costs in one variant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Nanoseconds beyond the bare router.
    pub added: i64,
    /// Nanoseconds.
    pub whole: i64,
    /// Allocations of the request's thread beyond the bare router.
    pub allocations: i64,
}

/// Costs by variant and path.
pub type Costs = BTreeMap<(&'static str, &'static str), Cost>;

/// Measures all variants.
pub fn measure() -> Costs {
    let mut runners: Vec<Runner> = NAMES.iter().map(|name| Runner::start(name)).collect();
    for runner in &mut runners {
        let checked = runner.ask("check");
        assert_eq!(checked, "ok", "{}: {checked}", runner.name);
    }
    let mut costs = Costs::new();
    for path in PATHS {
        measure_path(&mut runners, path, &mut costs);
    }
    costs
}

fn measure_path(runners: &mut [Runner], path: &'static str, costs: &mut Costs) {
    let counts: Vec<i64> = runners.iter_mut().map(|runner| runner.number(&format!("count {path}"))).collect();
    let time = |runner: &mut Runner| runner.number(&format!("time {path} {REQUESTS}"));
    for runner in runners.iter_mut() {
        let _warm_up = time(runner);
    }
    let mut added: Vec<Vec<i64>> = vec![Vec::new(); runners.len()];
    let mut whole = added.clone();
    for round in 0..ROUNDS {
        for turn in 1..runners.len() {
            let variant = 1 + (turn + round) % (runners.len() - 1);
            let before = time(&mut runners[0]);
            let measured = time(&mut runners[variant]);
            let after = time(&mut runners[0]);
            // Neighbours that differ say that the machine had other things to do.
            if (before - after).abs() * 5 < before.min(after) {
                added[variant].push(measured - (before + after) / 2);
                whole[variant].push(measured);
                whole[0].push(before);
            }
        }
    }
    for (index, runner) in runners.iter().enumerate() {
        let added = if index == 0 { 0 } else { median(&mut added[index]) };
        let cost = Cost { added, whole: median(&mut whole[index]), allocations: counts[index] - counts[0] };
        costs.insert((runner.name, path), cost);
    }
}

fn median(numbers: &mut [i64]) -> i64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

/// A process that runs one variant.
struct Runner {
    name: &'static str,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    child: Child,
}

impl Runner {
    fn start(name: &'static str) -> Self {
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

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.input, "{question}").expect("the variant listens");
        let mut answer = String::new();
        self.output.read_line(&mut answer).expect("the variant answers");
        answer.trim().to_owned()
    }

    fn number(&mut self, question: &str) -> i64 {
        let answer = self.ask(question);
        answer.parse().unwrap_or_else(|_| panic!("{} answered {answer:?} to {question:?}", self.name))
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        // It ends with its input as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
