//! The report of a run, as tables.

use std::fs;
use std::time::Duration;

use super::bodies::Bodies;
use super::faults::Injected;
use super::memory::Measured;
use super::subject::Subject;
use super::tally::Tally;

/// The work of the machine's processors so far, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    all: u64,
    idle: u64,
}

impl Machine {
    /// Reads the counters of Linux. Elsewhere, they stay zero.
    pub(crate) fn now() -> Self {
        let text = fs::read_to_string("/proc/stat").unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = line.split_whitespace().skip(1).take(8).filter_map(|part| part.parse().ok()).collect();
        // The fourth and the fifth number are those without work, and with work that waits for a disk.
        Self { all: ticks.iter().sum(), idle: ticks.iter().skip(3).take(2).sum() }
    }

    /// Returns the part of the time in which the processors worked, for any program of the machine.
    pub(crate) fn busy_since(self) -> f64 {
        let now = Self::now();
        let all = (now.all - self.all).max(1);
        1.0 - (now.idle - self.idle) as f64 / all as f64
    }
}

/// The numbers of a run that are measured nowhere else.
pub(crate) struct Report<'a> {
    pub(crate) form: &'a str,
    /// The rate that was asked for, in errors a second that cost as much.
    pub(crate) rate: f64,
    pub(crate) sent_for: Duration,
    /// The part of the time in which the processors worked.
    pub(crate) busy: f64,
    pub(crate) drained_in: Duration,
    pub(crate) injected: &'a [Injected],
}

impl Report<'_> {
    /// Prints the report.
    #[expect(clippy::print_stdout, reason = "the report is the purpose of a long run")]
    pub(crate) fn print(&self, tally: &Tally, memory: &Measured, subject: &Subject, problems: &[String]) {
        let mut lines = self.head(tally, problems);
        lines.extend(tally.lines());
        lines.push(String::new());
        lines.extend(memory.lines());
        lines.push(Measured::rule());
        lines.push(String::new());
        lines.extend(self.faults());
        lines.extend(subject.skipped());
        println!("\n{}\n", lines.join("\n"));
    }

    fn head(&self, tally: &Tally, problems: &[String]) -> Vec<String> {
        let seconds = self.sent_for.as_secs_f64();
        let asked = Bodies::per_second(self.rate);
        let [errors, durations, spans] = Bodies::events(tally.accepted() as f64 / seconds);
        let (stored_errors, stored_transactions) = tally.events();
        let result = if problems.is_empty() { "nothing lost, nothing stored twice, memory flat" } else { "FAILED" };
        vec![
            format!("soak of the {} form: {result}", self.form),
            String::new(),
            "| | |".to_owned(),
            "|---|---|".to_owned(),
            format!("| length of the load | {seconds:.0} s |"),
            format!(
                "| rate that was asked for | {} (errors a second that cost as much), {asked:.1} bodies/s |",
                self.rate
            ),
            format!("| rate that was accepted | {:.1} bodies/s |", tally.accepted() as f64 / seconds),
            format!("| of it | {errors:.0} errors/s of 10 KB, {durations:.0} durations/s, {spans:.0} spans/s |"),
            format!("| accepted | {stored_errors} errors, {stored_transactions} transactions (durations and traces) |"),
            format!("| stored after the last body | in {:.1} s |", self.drained_in.as_secs_f64()),
            format!("| processors of the machine busy, all programs | {:.0} % |", self.busy * 100.0),
            String::new(),
        ]
    }

    fn faults(&self) -> Vec<String> {
        let mut lines = vec!["| fault | number | seconds of the run |".to_owned(), "|---|---|---|".to_owned()];
        let mut seen = Vec::new();
        for Injected { fault, .. } in self.injected {
            if seen.contains(fault) {
                continue;
            }
            seen.push(*fault);
            let all = self.injected.iter().filter(|injected| injected.fault == *fault);
            let times: Vec<String> = all.map(|Injected { from, to, .. }| format!("{from:.0}–{to:.0}")).collect();
            lines.push(format!("| {fault} | {} | {} |", times.len(), times.join(", ")));
        }
        lines
    }
}
