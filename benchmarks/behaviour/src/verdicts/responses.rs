//! Responses that are sent completely.

use opbeat_testing::behaviour::cases;

use super::{SUCCESS, Shortfall, Verdict, ensure};
use crate::applications::HELD;
use crate::observed::Observed;

/// Responses that no other row covers.
const OTHERS: [&str; 9] = [
    "streamed",
    "sized stream",
    "server-sent events",
    "trailers",
    "empty body",
    "HEAD request",
    "no content",
    "not modified",
    "100-continue",
];

/// Checks that each response is recorded once, with its status, and as a success.
pub fn every_response(observed: &Observed) -> Verdict {
    let possible = OTHERS.into_iter().filter(|name| observed.of(name).is_ok());
    let wrong: Result<Vec<String>, Shortfall> = possible.filter_map(|name| wrong(observed, name).transpose()).collect();
    wrong.and_then(|wrong| ensure(wrong.is_empty(), || Shortfall::partly(wrong.join(", "))))
}

fn wrong(observed: &Observed, name: &str) -> Result<Option<String>, Shortfall> {
    let success = &observed.once(SUCCESS)?.mark;
    let expected = cases().find(|case| case.name == name).and_then(|case| case.result.parse().ok());
    Ok(match observed.once(name) {
        Err(short) => Some(format!("{name} {short}")),
        Ok(request) if request.code.is_some() && request.code != expected => Some(format!("{name} has another status")),
        Ok(request) if request.mark != *success => Some(format!("{name} is `{}`", request.mark)),
        Ok(_) => None,
    })
}

/// Checks that the duration includes a delayed response body.
pub fn lasts(observed: &Observed) -> Verdict {
    let request = observed.once("slow stream")?;
    ensure(request.duration >= HELD, || Shortfall::no("ends at the response head"))
}

/// Checks that a connection that is upgraded to another protocol is not a failure.
pub fn upgraded(observed: &Observed) -> Verdict {
    let request = observed.once("upgrade")?;
    let is_marked = request.mark.contains("upgrade");
    if is_marked || request.code == Some(101) && request.mark == observed.once(SUCCESS)?.mark {
        return Ok(());
    }
    let marked = format!("as `{}`", request.mark);
    Err(if request.code == Some(101) { Shortfall::partly(marked) } else { Shortfall::no(marked) })
}

/// Checks that a 4xx differs by its mark or by its status, which is sufficient here.
pub fn client_error(observed: &Observed) -> Verdict {
    let request = observed.once("client error")?;
    let others = [observed.once(SUCCESS)?, observed.once("framework error")?];
    let is_distinct = others.iter().all(|other| request.mark != other.mark || request.code != other.code);
    ensure(is_distinct, || Shortfall::no(format!("as `{}`", request.mark)))
}
