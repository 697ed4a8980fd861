//! Requests that end early, or set user, tags and spans.

use super::{SUCCESS, Shortfall, Verdict, ensure};
use crate::observed::Observed;
use crate::recorded::{Failure, Tags};

/// Checks that a request that panicked is marked, and that its error is reported.
pub fn panicked(observed: &Observed, case: &str, message: &str) -> Verdict {
    let recorded = observed.of(case)?;
    let failure = recorded.failures.iter().find(|failure| failure.message.contains(message));
    if let (Some(_), []) = (failure, recorded.requests.as_slice()) {
        return Err(Shortfall::partly("only its error, without the request"));
    }
    let request = observed.once(case)?;
    let looks_fine = request.mark == observed.once(SUCCESS)?.mark;
    match failure {
        None if looks_fine => Err(Shortfall::no("no error; the request looks like a success")),
        None => Err(Shortfall::partly(format!("`{}`, without its error", request.mark))),
        Some(_) if looks_fine => Err(Shortfall::partly("only its error; the request looks like a success")),
        Some(Failure { is_tied, .. }) => ensure(*is_tied, || Shortfall::partly("its error is not tied to the request")),
    }
}

/// Checks that the tags that the handler set before its panic are kept.
pub fn tagged_in_panic(observed: &Observed) -> Verdict {
    let on_error = observed.of("panic")?.failures.iter().any(|failure| is_gold(&failure.tags));
    match observed.once("panic") {
        Ok(request) if is_gold(&request.tags) => Ok(()),
        _ if on_error => Err(Shortfall::partly("only on its error")),
        Ok(_) => Err(Shortfall::no("missing")),
        Err(short) => Err(short),
    }
}

/// Checks that the handler's tags are kept.
pub fn tags(observed: &Observed, case: &str) -> Verdict {
    ensure(is_gold(&observed.once(case)?.tags), || Shortfall::no("missing"))
}

/// Checks that the tags of the handler and of its destructors are kept.
pub fn tags_with_destructors(observed: &Observed) -> Verdict {
    let tags = &observed.once("disconnect before the response head")?.tags;
    match (is_gold(tags), tags.contains_key("left")) {
        (true, true) => Ok(()),
        (true, false) => Err(Shortfall::partly("without the destructors' tags")),
        (false, _) => Err(Shortfall::no("missing")),
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
    ensure(missing.is_empty(), || Shortfall::partly(format!("no {}", missing.join(", no "))))
}

/// Checks that a task's spans belong to the request that spawned it.
pub fn spawned(observed: &Observed) -> Verdict {
    let request = observed.once("span in a spawned task")?;
    ensure(request.spans.iter().any(|span| span == "count shelves"), || Shortfall::no("missing"))
}
