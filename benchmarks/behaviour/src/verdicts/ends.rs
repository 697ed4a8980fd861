//! Requests that end early, or tell more of themselves.

use super::{SUCCESS, Short, Verdict, ensure};
use crate::observed::Observed;
use crate::recorded::{Failure, Tags};

/// Checks that a request which panicked is recorded as such, with its error.
pub fn panicked(observed: &Observed, case: &str, message: &str) -> Verdict {
    let recorded = observed.of(case)?;
    let failure = recorded.failures.iter().find(|failure| failure.message.contains(message));
    if let (Some(_), []) = (failure, recorded.requests.as_slice()) {
        return Err(Short::partly("only its error, without the request"));
    }
    let request = observed.once(case)?;
    let looks_fine = request.mark == observed.once(SUCCESS)?.mark;
    match failure {
        None if looks_fine => Err(Short::no("no error; the request looks like a success")),
        None => Err(Short::partly(format!("`{}`, without its error", request.mark))),
        Some(_) if looks_fine => Err(Short::partly("only its error; the request looks like a success")),
        Some(Failure { is_tied, .. }) => ensure(*is_tied, || Short::partly("its error is not tied to the request")),
    }
}

/// Checks that what the handler said before it panicked is kept.
pub fn tagged_in_panic(observed: &Observed) -> Verdict {
    let on_error = observed.of("panic")?.failures.iter().any(|failure| is_gold(&failure.tags));
    match observed.once("panic") {
        Ok(request) if is_gold(&request.tags) => Ok(()),
        _ if on_error => Err(Short::partly("only on its error")),
        Ok(_) => Err(Short::no("missing")),
        Err(short) => Err(short),
    }
}

/// Checks that what the handler said is kept.
pub fn tags(observed: &Observed, case: &str) -> Verdict {
    ensure(is_gold(&observed.once(case)?.tags), || Short::no("missing"))
}

/// Checks that what the handler's destructors said is kept as well.
pub fn left_tags(observed: &Observed) -> Verdict {
    let tags = &observed.once("disconnect before the response head")?.tags;
    match (is_gold(tags), tags.contains_key("left")) {
        (true, true) => Ok(()),
        (true, false) => Err(Short::partly("without the destructors' tags")),
        (false, _) => Err(Short::no("missing")),
    }
}

fn is_gold(tags: &Tags) -> bool {
    tags.get("plan").is_some_and(|plan| plan == "gold")
}

/// Checks the user, a tag, and two spans.
pub fn described(observed: &Observed) -> Verdict {
    let request = observed.once("user, tags and spans")?;
    let parts = [
        ("user", request.user.as_deref() == Some("7")),
        ("tag", is_gold(&request.tags)),
        ("spans", request.spans.iter().any(|span| span == "render > SELECT FROM books")),
    ];
    let missing: Vec<&str> = parts.iter().filter(|(_, is_there)| !is_there).map(|(part, _)| *part).collect();
    ensure(missing.is_empty(), || Short::partly(format!("no {}", missing.join(", no "))))
}

/// Checks that what a task does belongs to the request that spawned it.
pub fn spawned(observed: &Observed) -> Verdict {
    let request = observed.once("span in a spawned task")?;
    ensure(request.spans.iter().any(|span| span == "count shelves"), || Short::no("missing"))
}
