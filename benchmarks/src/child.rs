//! One variant in its own process, which executes one command per line of its standard input.

use std::process::ExitCode;
use std::time::Duration;

use load::process::respond;
use load::processor;
use load::sink::Delivered;

use crate::driver::{Drive, Spent};
use crate::variants::{Recording, SPANS, variant};

/// Runs a variant until its input ends.
///
/// - `run PATH N`: responds with four numbers. Three are the cost of one request in nanoseconds, as the mean of N: the
///   wall time, the processor time of the request's thread, and that of all other threads until everything was
///   delivered. The last is the number of transactions and spans that were not delivered.
/// - `count PATH`: responds with the allocations of one request.
///
/// It panics if a response is wrong, or if more is delivered than was recorded.
pub fn serve(name: &str) -> ExitCode {
    let mut measured = Measured::new(name);
    respond(|words| match words {
        ["run", path, count] => measured.run(path, count.parse().expect("a number")),
        ["count", path] => measured.count(path).to_string(),
        _ => panic!("unknown command {words:?}"),
    })
}

/// Calls a variant and does nothing else. Tools that count instructions use this.
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
            // Counting itself takes time, the more the more allocations there are.
            allocation_counter::opt_out(|| spent = self.application.drive(path, count));
            lost = self.deliveries.lost(path, count);
        });
        let each = |time: Duration| time.as_nanos() as u64 / count;
        let others = with_requests.saturating_sub(idle);
        format!("{} {} {} {lost}", each(spent.wall), each(spent.thread), each(others))
    }

    /// Counts on a warm application, so that one-time allocations are not counted.
    fn count(&mut self, path: &str) -> u64 {
        const TIMES: u64 = 101;
        self.run(path, 1_024);
        let counts = (0..TIMES).map(|_| self.application.allocations(path));
        let median = load::quantiles::median(counts);
        assert_eq!(self.deliveries.lost(path, TIMES), 0, "a hundred requests fit into any queue");
        median
    }
}

/// Compares the delivered data with the recorded data.
pub struct Deliveries {
    recording: Recording,
    /// The data delivered so far.
    delivered: Delivered,
}

impl Deliveries {
    pub fn new(recording: Recording) -> Self {
        Self { recording, delivered: Delivered::default() }
    }

    /// Delivers the recorded data, `count` more requests than last time. Returns the number of dropped items.
    pub fn lost(&mut self, path: &str, count: u64) -> u64 {
        let before = std::mem::replace(&mut self.delivered, (self.recording.deliver)());
        let transactions = if self.recording.records { count } else { 0 };
        let spans = if path == "/spans" { transactions * SPANS } else { 0 };
        let lost = |recorded: u64, delivered: u64| recorded.checked_sub(delivered).expect("nothing is delivered twice");
        lost(transactions, self.delivered.transactions - before.transactions)
            + lost(spans, self.delivered.spans - before.spans)
    }
}

/// Returns the processor time that all other threads spend during the call.
fn background(work: impl FnOnce()) -> Duration {
    let (all, own) = (processor::process(), processor::thread());
    work();
    (processor::process() - all).saturating_sub(processor::thread() - own)
}
