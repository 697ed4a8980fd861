//! Compares the records of a case with the table.

use std::time::{Duration, Instant};

use super::cases::{Case, Errors};
use super::client::{Exchange, PATIENCE, Version};
use super::subject::Subject;
use opbeat_core::export::Batch;
use opbeat_core::record::{ErrorRecord, RequestRecord, TransactionRecord};

/// Runs one case. The error describes the differences.
pub(super) fn check_case(
    subject: &Subject<'_>,
    case: &Case,
    version: Version,
    patience: Duration,
) -> Result<(), String> {
    subject.exporter.take();
    let exchange =
        version.send(case, subject.address).map_err(|error| format!("{}: the exchange failed: {error}", case.name))?;
    let recorded = if case.transaction.is_some() { wait_for_records(subject, 1, patience) } else { flush(subject) };
    let mut differences = vec![
        compare("the response", expected_response(case, exchange.response.as_ref()), exchange.response.clone()),
        compare("the response headers", case.response_headers.to_vec(), received_headers(case, &exchange)),
        compare("the number of counted transactions", usize::from(case.transaction.is_some()), recorded.transactions()),
        compare_errors(case, &recorded.errors),
    ];
    if let Some(name) = case.transaction {
        differences.push(compare_transaction(subject, case, name, &exchange, &recorded));
    }
    let differences: Vec<String> = differences.into_iter().flatten().collect();
    if differences.is_empty() { Ok(()) } else { Err(format!("{}: {}", case.name, differences.join("; "))) }
}

/// Waits for a number of transactions, then flushes once more to find records that should not exist.
pub(super) fn wait_for_records(subject: &Subject<'_>, count: usize, patience: Duration) -> Batch {
    let deadline = Instant::now() + patience;
    let mut recorded = Batch::default();
    // A transaction is counted before its sample is stored.
    while (recorded.transactions() < count || recorded.samples.len() < count) && Instant::now() < deadline {
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

/// Returns the expected headers that were received.
fn received_headers(case: &Case, exchange: &Exchange) -> Vec<(&'static str, &'static str)> {
    case.response_headers.iter().copied().filter(|(name, value)| exchange.header(name) == Some(*value)).collect()
}

/// Returns the expected response. If the framework writes the error body itself, only the status is compared.
fn expected_response(case: &Case, answer: Option<&(u16, String)>) -> Option<(u16, String)> {
    let (status, body) = case.response?;
    let is_written_by_framework = body.is_empty() && status >= 400;
    let body = answer.filter(|_| is_written_by_framework).map_or_else(|| body.to_owned(), |(_, body)| body.clone());
    Some((status, body))
}

fn compare_transaction(
    subject: &Subject<'_>,
    case: &Case,
    name: &str,
    exchange: &Exchange,
    recorded: &Batch,
) -> Option<String> {
    let Some(sample) = recorded.samples.first() else { return Some("nothing was sampled".to_owned()) };
    let differences: Vec<String> = [
        compare("the name", name.to_owned(), sample.name.to_string()),
        compare("the kind", subject.kind, &*sample.kind),
        compare("the result", case.result.to_owned(), sample.result.to_string()),
        compare("the outcome", case.outcome, sample.outcome),
        compare("the request", format!("{} 1", case.request), request_line(sample)),
        compare("user, tags and spans", case.description.to_owned(), description(sample)),
        compare("whether it lasts to the end of the response body", true, lasts(sample, exchange)),
        compare("the trace", case.trace.map(str::to_owned), sample.trace.map(|trace| trace.to_string())),
        compare(
            "whether the client address is recorded",
            true,
            !case.has_client_address || has_loopback_client(sample),
        ),
        compare("the host", Some("shop.example"), sample.request.as_ref().and_then(|request| request.header("host"))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!differences.is_empty()).then(|| differences.join("; "))
}

/// Returns whether the duration covers the time for which the body was held.
fn lasts(sample: &TransactionRecord, exchange: &Exchange) -> bool {
    let after_head = sample.duration.saturating_sub(sample.head.unwrap_or_default());
    after_head >= exchange.held && sample.busy.is_some_and(|busy| busy <= sample.duration)
}

/// Returns the method, the target, and the value of the header that every request has.
fn request_line(sample: &TransactionRecord) -> String {
    let Some(request) = &sample.request else { return String::new() };
    format!("{} {} {}", request.method(), request.target(), request.header("x-probe").unwrap_or("without its headers"))
}

/// Returns whether the recorded client address is a loopback address, which the table's client uses.
fn has_loopback_client(sample: &TransactionRecord) -> bool {
    sample.request.as_ref().and_then(RequestRecord::client).is_some_and(|client| client.is_loopback())
}

pub(super) fn description(sample: &TransactionRecord) -> String {
    let user = sample.user.as_ref().and_then(|user| user.id.as_ref()).map(|id| format!("user {id}"));
    let tags = sample.tags.iter().map(|(key, value)| format!("{key}={value}"));
    let is_parent = |index: usize| sample.spans.iter().any(|span| span.parent == Some(index));
    let spans = sample.spans.iter().enumerate().map(|(index, span)| {
        match span.parent.and_then(|parent| sample.spans.get(parent)) {
            Some(parent) => format!("{} > {}", parent.signature, span.signature),
            None if is_parent(index) => String::new(),
            None => span.signature.to_string(),
        }
    });
    user.into_iter().chain(tags).chain(spans).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn compare_errors(case: &Case, errors: &[ErrorRecord]) -> Option<String> {
    let count = usize::from(!matches!(case.errors, Errors::None));
    let of_transaction = |error: &ErrorRecord| {
        error.transaction.as_ref().is_some_and(|transaction| Some(transaction.name.as_str()) == case.transaction)
            && error.request.is_some()
    };
    let Some(error) = errors.first() else {
        return compare("the number of reported errors", count, 0);
    };
    compare("the number of reported errors", count, errors.len())
        .or_else(|| compare_error(case, error))
        .or_else(|| compare("whether errors contain transaction and request", true, errors.iter().all(of_transaction)))
}

fn compare_error(case: &Case, error: &ErrorRecord) -> Option<String> {
    let actual = (error.type_name.as_deref().unwrap_or_default(), error.message.as_str());
    match case.errors {
        Errors::None | Errors::One => None,
        Errors::Of(type_name, message) => compare("the error", (type_name, message), actual),
        Errors::Chain(type_name, message, cause) => {
            let causes: Vec<&str> = error.causes.iter().map(|cause| cause.message.as_str()).collect();
            compare("the error", (type_name, message), actual)
                .or_else(|| compare("its causes", vec![cause], causes))
                .or_else(|| compare("whether its line is known", true, error.location.is_some()))
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the callers create the values only for the comparison")]
pub(super) fn compare<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, actual: T) -> Option<String> {
    (expected != actual).then(|| format!("{what}: expected {expected:?}, got {actual:?}"))
}
