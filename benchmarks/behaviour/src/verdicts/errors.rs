//! Reports of errors.

use super::{SUCCESS, Shortfall, Verdict, ensure};
use crate::observed::Observed;
use crate::recorded::Failure;

/// The message of the table's error, and of its cause.
const MESSAGE: &str = "there is no cart";
const CAUSE: &str = "the shelf is broken";

/// Checks that a failed request is reported as an error.
pub fn reported(observed: &Observed, case: &str) -> Verdict {
    let request = observed.once(case)?;
    if !observed.of(case)?.failures.is_empty() {
        return Ok(());
    }
    let is_marked = request.mark != observed.once(SUCCESS)?.mark;
    Err(if is_marked { Shortfall::partly("only marked as failed") } else { Shortfall::partly("only its status") })
}

/// Checks that a request whose response body failed is reported as an error.
pub fn broken_body(observed: &Observed) -> Verdict {
    let case = "error in the response body";
    let request = observed.once(case)?;
    let is_marked = request.mark != observed.once(SUCCESS)?.mark;
    match observed.of(case)?.failures.as_slice() {
        [] if is_marked => Err(Shortfall::partly("only marked as failed")),
        [] => Err(Shortfall::no("looks like a success")),
        _ => Ok(()),
    }
}

/// Checks that an error that a handler returned is reported with its type and its message.
pub fn typed(observed: &Observed) -> Verdict {
    let failures = &observed.of("handler error with a cause")?.failures;
    ensure(!failures.is_empty(), || Shortfall::no("not reported"))?;
    ensure(failures.iter().any(is_cart_error), || Shortfall::no(format!("`{}`", failures[0].message)))?;
    let is_typed = |failure: &Failure| is_cart_error(failure) && failure.type_name == "CartError";
    ensure(failures.iter().any(is_typed), || Shortfall::partly(format!("as a `{}`", failures[0].type_name)))
}

/// Checks that a report contains the causes of the error.
pub fn caused(observed: &Observed, case: &str) -> Verdict {
    let failures = &observed.of(case)?.failures;
    ensure(!failures.is_empty(), || Shortfall::no("not reported"))?;
    let is_caused = |failure: &Failure| failure.causes.iter().any(|cause| cause.contains(CAUSE));
    ensure(failures.iter().any(is_caused), || Shortfall::no("only its message"))
}

/// Checks that a report contains the source line of the error.
pub fn located(observed: &Observed) -> Verdict {
    let failures = &observed.of("handler error with a cause")?.failures;
    ensure(!failures.is_empty(), || Shortfall::no("not reported"))?;
    ensure(failures.iter().any(|failure| failure.is_located), || Shortfall::no("no line in the handler"))
}

/// Checks that an error that is both captured and returned is reported once.
pub fn reported_once(observed: &Observed) -> Verdict {
    let failures = &observed.of("captured and returned")?.failures;
    match failures.iter().filter(|failure| is_cart_error(failure)).count() {
        0 => Err(Shortfall::no("not reported")),
        1 => Ok(()),
        count => Err(Shortfall::no(format!("{count} reports"))),
    }
}

fn is_cart_error(failure: &Failure) -> bool {
    failure.message == MESSAGE
}
