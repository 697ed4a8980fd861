//! Holds what was recorded against the table.

use std::time::Instant;

use super::Subject;
use super::cases::{Case, Errors};
use super::client::{self, PATIENCE};
use crate::pipeline::Batch;
use crate::record::{ErrorRecord, TransactionRecord};

/// Runs one case. The error says how it differs.
pub(super) fn judge(subject: &Subject<'_>, case: &Case) -> Result<(), String> {
    subject.exporter.take();
    let answer = client::exchange(subject.address, case.request, case.read)
        .map_err(|error| format!("{}: the exchange failed: {error}", case.name))?;
    let recorded = wait_for_record(subject);
    let differences: Vec<String> = [
        compare("the answer", expected_answer(case, answer.as_ref()), answer.clone()),
        compare("how many transactions were counted", 1, recorded.transactions()),
        compare_transaction(subject, case, &recorded),
        compare_errors(case, &recorded.errors),
    ]
    .into_iter()
    .flatten()
    .collect();
    if differences.is_empty() { Ok(()) } else { Err(format!("{}: {}", case.name, differences.join("; "))) }
}

/// Waits for a transaction, and then for what should not be: a second one.
fn wait_for_record(subject: &Subject<'_>) -> Batch {
    let deadline = Instant::now() + PATIENCE;
    let mut recorded = Batch::default();
    while recorded.durations.is_empty() && Instant::now() < deadline {
        merge(&mut recorded, flush(subject));
    }
    merge(&mut recorded, flush(subject));
    recorded
}

fn flush(subject: &Subject<'_>) -> Batch {
    subject.agent.flush(PATIENCE).expect("the exporter keeps everything");
    subject.exporter.take()
}

fn merge(recorded: &mut Batch, mut more: Batch) {
    recorded.durations.append(&mut more.durations);
    recorded.samples.append(&mut more.samples);
    recorded.errors.append(&mut more.errors);
}

/// Where frameworks word the body themselves, only the status counts.
fn expected_answer(case: &Case, answer: Option<&(u16, String)>) -> Option<(u16, String)> {
    // A broken connection may still have brought a head.
    let Some((status, body)) = case.answer else { return answer.cloned() };
    let is_worded_by_framework = body.is_empty() && status >= 400;
    let body = answer.filter(|_| is_worded_by_framework).map_or_else(|| body.to_owned(), |(_, body)| body.clone());
    Some((status, body))
}

fn compare_transaction(subject: &Subject<'_>, case: &Case, recorded: &Batch) -> Option<String> {
    let Some(sample) = recorded.samples.first() else { return Some("nothing was sampled".to_owned()) };
    let differences: Vec<String> = [
        compare("the name", case.transaction.to_owned(), sample.name.to_string()),
        compare("the kind", subject.kind, &*sample.kind),
        compare("the result", case.result.to_owned(), sample.result.to_string()),
        compare("the outcome", case.outcome, sample.outcome),
        compare("the request", case.request.to_owned(), request_line(sample)),
        compare("user, tags and spans", case.description.to_owned(), description(sample)),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}

fn request_line(sample: &TransactionRecord) -> String {
    sample.request.as_ref().map(|request| format!("{} {}", request.method(), request.target())).unwrap_or_default()
}

fn description(sample: &TransactionRecord) -> String {
    let user = sample.user.as_ref().and_then(|user| user.id.as_ref()).map(|id| format!("user {id}"));
    let tags = sample.tags.iter().map(|(key, value)| format!("{key}={value}"));
    let spans = sample.spans.iter().map(|span| match span.parent.and_then(|parent| sample.spans.get(parent)) {
        Some(parent) => format!("{} > {}", parent.signature, span.signature),
        None => String::new(),
    });
    user.into_iter().chain(tags).chain(spans).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn compare_errors(case: &Case, errors: &[ErrorRecord]) -> Option<String> {
    let count = usize::from(!matches!(case.errors, Errors::None));
    let expected = match case.errors {
        Errors::Of(type_name, message) => vec![(Some(type_name), message)],
        Errors::One | Errors::None => errors.iter().map(parts).collect(),
    };
    let of_transaction = |error: &ErrorRecord| {
        error.transaction.as_ref().is_some_and(|transaction| transaction.name == case.transaction)
            && error.request.is_some()
    };
    compare("how many errors were reported", count, errors.len())
        .or_else(|| compare("the error", expected, errors.iter().map(parts).collect()))
        .or_else(|| compare("whether errors tell transaction and request", true, errors.iter().all(of_transaction)))
}

fn parts(error: &ErrorRecord) -> (Option<&str>, &str) {
    (error.type_name.as_deref(), &error.message)
}

#[expect(clippy::needless_pass_by_value, reason = "the calls make their values on the spot")]
fn compare<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, actual: T) -> Option<String> {
    (expected != actual).then(|| format!("{what}: expected {expected:?}, got {actual:?}"))
}
