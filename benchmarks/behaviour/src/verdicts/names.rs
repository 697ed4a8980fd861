//! Names that have few values.

use super::{Short, Verdict, ensure};
use crate::observed::Observed;

/// Checks that a request's name has its route.
pub fn keeps(observed: &Observed, case: &str, route: &str) -> Verdict {
    let name = &observed.once(case)?.name;
    ensure(name.contains(route), || Short::no(format!("`{name}`")))
}

/// Checks that paths which nothing answers don't make names.
pub fn folded(observed: &Observed, case: &str) -> Verdict {
    let name = &observed.once(case)?.name;
    ensure(!name.contains("nowhere"), || Short::no(format!("`{name}`")))
}

/// Checks that paths below a service make no names, and are told from those that nothing answers.
pub fn nested_service(observed: &Observed) -> Verdict {
    let name = &observed.once("nested service")?.name;
    ensure(!name.contains("covers"), || Short::no(format!("`{name}`")))?;
    let unmatched = &observed.once("not found")?.name;
    ensure(name != unmatched, || Short::partly(format!("`{name}`, the same as unmatched paths")))
}

pub fn renamed(observed: &Observed) -> Verdict {
    keeps(observed, "renamed by the handler", "shop.renamed")
}

/// Checks that health checks don't count.
pub fn left_out(observed: &Observed) -> Verdict {
    let recorded = observed.of("health check")?;
    ensure(recorded.requests.is_empty(), || Short::no("recorded"))
}
