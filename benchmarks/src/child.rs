//! One variant in a process of its own: does what its standard input says, one line at a time.

use std::process::ExitCode;
use std::time::Duration;

use load::process::answer;
use load::processor;
use load::sink::Delivered;

use crate::driver::{Drive, Spent};
use crate::variants::{Recording, SPANS, variant};

/// Runs a variant until its input ends.
///
/// - `run PATH N`: answers with what one request took, as the mean of N, in nanoseconds: the wall time, the processor
///   time of the request's thread, and that of all other threads until everything was delivered; at last how many
///   transactions and spans were not.
/// - `count PATH`: answers with the allocations of one request.
///
/// It panics when an answer is wrong, and when more is delivered than was recorded.
pub fn serve(name: &str) -> ExitCode {
    let mut measured = Measured::new(name);
    answer(|words| match words {
        ["run", path, count] => measured.run(path, count.parse().expect("a number")),
        ["count", path] => measured.count(path).to_string(),
        _ => panic!("{words:?} is none of the questions"),
    })
}

/// Calls a variant and does nothing else, for tools that count instructions.
pub fn call(name: &str, path: &str, count: &str) -> ExitCode {
    let (application, mut recording) = variant(name);
    let count = count.parse().expect("a number of requests");
    allocation_counter::opt_out(|| {
        application.drive(path, count);
    });
    (recording.deliver)();
    ExitCode::SUCCESS
}

struct Measured {
    application: Box<dyn Drive>,
    deliveries: Deliveries,
}

impl Measured {
    fn new(name: &str) -> Self {
        let (application, recording) = variant(name);
        Self { application, deliveries: Deliveries::new(recording) }
    }

    fn run(&mut self, path: &str, count: u64) -> String {
        let idle = background(|| {
            self.deliveries.lost(path, 0);
        });
        let (mut spent, mut lost) = (Spent::default(), 0);
        let with_requests = background(|| {
            // Counting takes time by itself, and most where there are many allocations.
            allocation_counter::opt_out(|| spent = self.application.drive(path, count));
            lost = self.deliveries.lost(path, count);
        });
        let each = |time: Duration| time.as_nanos() as u64 / count;
        let others = with_requests.saturating_sub(idle);
        format!("{} {} {} {lost}", each(spent.wall), each(spent.thread), each(others))
    }

    /// Counts on a warm application, so that nothing is counted that happens once.
    fn count(&mut self, path: &str) -> u64 {
        const TIMES: u64 = 101;
        self.run(path, 1_024);
        let counts = (0..TIMES).map(|_| self.application.allocations(path));
        let median = load::quantiles::median(counts);
        assert_eq!(self.deliveries.lost(path, TIMES), 0, "a hundred requests fit into any queue");
        median
    }
}

/// Compares what is delivered with what was recorded.
pub struct Deliveries {
    recording: Recording,
    /// What was delivered so far.
    delivered: Delivered,
}

impl Deliveries {
    pub fn new(recording: Recording) -> Self {
        Self { recording, delivered: Delivered::default() }
    }

    /// Delivers what was recorded, which is `count` requests more than last time. Returns how much of it was lost.
    pub fn lost(&mut self, path: &str, count: u64) -> u64 {
        let before = std::mem::replace(&mut self.delivered, (self.recording.deliver)());
        let transactions = if self.recording.records { count } else { 0 };
        let spans = if path == "/spans" { transactions * SPANS } else { 0 };
        let lost = |recorded: u64, delivered: u64| recorded.checked_sub(delivered).expect("nothing is counted twice");
        lost(transactions, self.delivered.transactions - before.transactions)
            + lost(spans, self.delivered.spans - before.spans)
    }
}

/// Returns the processor time that all threads but this one spend meanwhile.
fn background(work: impl FnOnce()) -> Duration {
    let (all, own) = (processor::process(), processor::thread());
    work();
    (processor::process() - all).saturating_sub(processor::thread() - own)
}
