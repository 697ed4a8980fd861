//! The behaviour that all adapters of job runners have in common, as a table of jobs.

use crate::MemoryExporter;
use opbeat_core::Agent;
use opbeat_core::export::Batch;
use opbeat_core::record::{ErrorRecord, Outcome};

use super::client::PATIENCE;
use super::compare::{compare, description};

/// A job runner that is monitored by the adapter under test.
///
/// | job | action |
/// |---|---|
/// | `ok` | calls [`describe`](super::describe) |
/// | `traced` | is queued with [`TRACE_PARENT`] in the runner's metadata, and does nothing |
/// | `failing` | calls [`tag`](super::tag), and fails with a [`CartError`](super::CartError) |
/// | `panicking` | calls [`describe`](super::describe), and panics with `no stamps` |
/// | `cancelled` | calls [`wait_forever`](super::wait_forever), and is cancelled while it runs |
pub trait Runner {
    /// Runs the job of this name, and returns after its end.
    fn run(&self, job: &str);

    /// Returns the jobs that the runner makes impossible, each with the reason.
    fn exempt(&self) -> &[(&str, &str)] {
        &[]
    }
}

/// The `traceparent` that the job `traced` is queued with.
pub const TRACE_PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

struct Case {
    job: &'static str,
    result: &'static str,
    outcome: Outcome,
    /// User, tags and spans, in the notation of `Case::description` for requests.
    description: &'static str,
    /// The error's type, message and cause.
    error: Option<(&'static str, &'static str, &'static str)>,
    trace: Option<&'static str>,
}

const DONE: Case = Case { job: "", result: "ok", outcome: Outcome::Ok, description: "", error: None, trace: None };

const DESCRIPTION: &str = "user 7, plan=gold, render > SELECT FROM books";

const CASES: [Case; 5] = [
    Case { job: "ok", description: DESCRIPTION, ..DONE },
    Case { job: "traced", trace: Some(TRACE_PARENT), ..DONE },
    Case {
        job: "failing",
        result: "failed",
        outcome: Outcome::ServerError,
        description: "plan=gold",
        error: Some(("CartError", "there is no cart", "the shelf is broken")),
        ..DONE
    },
    Case {
        job: "panicking",
        result: "panicked",
        outcome: Outcome::Panicked,
        description: DESCRIPTION,
        error: Some(("panic", "no stamps", "")),
        ..DONE
    },
    // The handler sets one tag, and a guard that it owns sets the other when it is dropped.
    Case {
        job: "cancelled",
        result: "cancelled",
        outcome: Outcome::ClientGone,
        description: "plan=gold, left=early",
        ..DONE
    },
];

/// Runs all jobs. Each is one transaction of the given kind, named after its job.
///
/// # Panics
///
/// Panics with a list of failures if any job is recorded differently.
pub fn check_jobs(runner: &impl Runner, agent: &Agent, exporter: &MemoryExporter, kind: &str) {
    let is_exempt = |job: &str| runner.exempt().iter().any(|(exempt, _)| *exempt == job);
    let failures: Vec<String> = CASES
        .iter()
        .filter(|case| !is_exempt(case.job))
        .filter_map(|case| {
            exporter.take();
            runner.run(case.job);
            agent.flush(PATIENCE).expect("the exporter keeps everything");
            check_job(case, kind, &exporter.take()).err()
        })
        .collect();
    assert!(failures.is_empty(), "{} jobs differ:\n{}", failures.len(), failures.join("\n"));
}

fn check_job(case: &Case, kind: &str, recorded: &Batch) -> Result<(), String> {
    let Some(sample) = recorded.samples.first() else { return Err(format!("{}: nothing was recorded", case.job)) };
    let differences: Vec<String> = [
        compare("the number of counted transactions", 1, recorded.transactions()),
        compare("the name", case.job.to_owned(), sample.name.to_string()),
        compare("the kind", kind, &*sample.kind),
        compare("the result", case.result.to_owned(), sample.result.to_string()),
        compare("the outcome", case.outcome, sample.outcome),
        compare("user, tags and spans", case.description.to_owned(), description(sample)),
        compare("the trace parent", case.trace.map(str::to_owned), sample.trace.map(|trace| trace.to_string())),
        compare("the errors", case.error.into_iter().collect(), errors(recorded)),
        compare(
            "whether the error contains its job",
            true,
            recorded.errors.iter().all(|error| belongs_to(error, case.job)),
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    if differences.is_empty() { Ok(()) } else { Err(format!("{}: {}", case.job, differences.join("; "))) }
}

/// Returns type, message and cause of each error.
fn errors(recorded: &Batch) -> Vec<(&str, &str, &str)> {
    recorded.errors.iter().map(summary).collect()
}

fn summary(error: &ErrorRecord) -> (&str, &str, &str) {
    let cause = error.causes.first().map_or("", |cause| cause.message.as_str());
    (error.type_name.as_deref().unwrap_or_default(), &error.message, cause)
}

fn belongs_to(error: &ErrorRecord, job: &str) -> bool {
    error.transaction.as_ref().is_some_and(|transaction| transaction.name == job)
}
