//! Reports of errors.

use super::{SUCCESS, Short, Verdict, ensure};
use crate::observed::Observed;
use crate::recorded::Failure;

/// What the table's error says, and what caused it.
const MESSAGE: &str = "there is no cart";
const CAUSE: &str = "the shelf is broken";

/// Checks that a failed request brings a report.
pub fn reported(observed: &Observed, case: &str) -> Verdict {
    let request = observed.once(case)?;
    if !observed.of(case)?.failures.is_empty() {
        return Ok(());
    }
    let is_marked = request.mark != observed.once(SUCCESS)?.mark;
    Err(if is_marked { Short::partly("only marked as failed") } else { Short::partly("only its status") })
}

/// Checks that a request whose body failed brings a report.
pub fn broken_body(observed: &Observed) -> Verdict {
    let case = "error in the response body";
    let request = observed.once(case)?;
    let is_marked = request.mark != observed.once(SUCCESS)?.mark;
    match observed.of(case)?.failures.as_slice() {
        [] if is_marked => Err(Short::partly("only marked as failed")),
        [] => Err(Short::no("looks like a success")),
        _ => Ok(()),
    }
}

/// Checks that what a handler returned is reported, with its type and what it says.
pub fn typed(observed: &Observed) -> Verdict {
    let failures = &observed.of("handler error with a cause")?.failures;
    ensure(!failures.is_empty(), || Short::no("not reported"))?;
    ensure(failures.iter().any(says), || Short::no(format!("`{}`", failures[0].message)))?;
    let is_typed = |failure: &Failure| says(failure) && failure.type_name == "CartError";
    ensure(failures.iter().any(is_typed), || Short::partly(format!("as a `{}`", failures[0].type_name)))
}

/// Checks that a report has what caused the error.
pub fn caused(observed: &Observed, case: &str) -> Verdict {
    let failures = &observed.of(case)?.failures;
    ensure(!failures.is_empty(), || Short::no("not reported"))?;
    let is_caused = |failure: &Failure| failure.causes.iter().any(|cause| cause.contains(CAUSE));
    ensure(failures.iter().any(is_caused), || Short::no("only its message"))
}

/// Checks that a report has the line that the error comes from.
pub fn located(observed: &Observed) -> Verdict {
    let failures = &observed.of("handler error with a cause")?.failures;
    ensure(!failures.is_empty(), || Short::no("not reported"))?;
    ensure(failures.iter().any(|failure| failure.is_located), || Short::no("no line in the handler"))
}

/// Checks that an error which is both captured and returned is reported, and not again.
pub fn reported_once(observed: &Observed) -> Verdict {
    let failures = &observed.of("captured and returned")?.failures;
    match failures.iter().filter(|failure| says(failure)).count() {
        0 => Err(Short::no("not reported")),
        1 => Ok(()),
        count => Err(Short::no(format!("{count} reports"))),
    }
}

fn says(failure: &Failure) -> bool {
    failure.message == MESSAGE
}
