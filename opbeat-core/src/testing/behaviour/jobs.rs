//! What every adapter to a job runner does, as a table too.

use crate::record::Outcome;
use crate::testing::MemoryExporter;
use crate::{Agent, Batch};

use super::client::PATIENCE;

/// A job runner that is monitored by the adapter under test.
///
/// Its jobs are `ok`, which calls [`describe`](super::describe); `failing`, which fails with a
/// [`CartError`](super::CartError); `panicking`, which panics with `no stamps`; and `cancelled`, which calls
/// [`wait_forever`](super::wait_forever) and is stopped while it runs.
pub trait Runner {
    /// Runs the job of a name, and returns when it has ended.
    fn run(&self, job: &str);
}

struct Case {
    job: &'static str,
    result: &'static str,
    outcome: Outcome,
    errors: &'static [(&'static str, &'static str)],
    tags: usize,
}

const CASES: [Case; 4] = [
    Case { job: "ok", result: "ok", outcome: Outcome::Ok, errors: &[], tags: 1 },
    Case {
        job: "failing",
        result: "failed",
        outcome: Outcome::ServerError,
        errors: &[("CartError", "there is no cart")],
        tags: 0,
    },
    Case {
        job: "panicking",
        result: "panicked",
        outcome: Outcome::Panicked,
        errors: &[("panic", "no stamps")],
        tags: 0,
    },
    // One tag is set by the handler, and one by a destructor of what it holds.
    Case { job: "cancelled", result: "cancelled", outcome: Outcome::ClientGone, errors: &[], tags: 2 },
];

/// Runs all jobs. Each is one transaction of the given kind, named after its job.
///
/// # Panics
///
/// Panics if any job is recorded otherwise, with a list of all that are.
pub fn check_jobs(runner: &impl Runner, agent: &Agent, exporter: &MemoryExporter, kind: &str) {
    let failures: Vec<String> = CASES
        .iter()
        .filter_map(|case| {
            exporter.take();
            runner.run(case.job);
            agent.flush(PATIENCE).expect("the exporter keeps everything");
            judge(case, kind, &exporter.take()).err()
        })
        .collect();
    assert!(failures.is_empty(), "{} jobs differ:\n{}", failures.len(), failures.join("\n"));
}

fn judge(case: &Case, kind: &str, recorded: &Batch) -> Result<(), String> {
    let Some(sample) = recorded.samples.first() else { return Err(format!("{}: nothing was recorded", case.job)) };
    let errors: Vec<(&str, &str)> =
        recorded.errors.iter().map(|error| (error.type_name.as_deref().unwrap_or_default(), &*error.message)).collect();
    let expected = (1, case.job.to_owned(), kind, case.result.to_owned(), case.outcome, case.errors, case.tags);
    let name = sample.name.to_string();
    let result = sample.result.to_string();
    let actual = (recorded.transactions(), name, &*sample.kind, result, sample.outcome, &*errors, sample.tags.len());
    if expected == actual { Ok(()) } else { Err(format!("{}: expected {expected:?}, got {actual:?}", case.job)) }
}
