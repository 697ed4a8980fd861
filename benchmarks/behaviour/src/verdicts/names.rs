//! Transaction names, which must have few values.

use super::{Shortfall, Verdict, ensure};
use crate::observed::Observed;

/// Checks that a request's name contains its route.
pub fn keeps(observed: &Observed, case: &str, route: &str) -> Verdict {
    let name = &observed.once(case)?.name;
    ensure(name.contains(route), || Shortfall::no(format!("`{name}`")))
}

/// Checks that unmatched paths are not part of names.
pub fn folded(observed: &Observed, case: &str) -> Verdict {
    let name = &observed.once(case)?.name;
    ensure(!name.contains("nowhere"), || Shortfall::no(format!("`{name}`")))
}

/// Checks that paths below a service are not part of names, and that these names differ from the one of unmatched
/// paths.
pub fn nested_service(observed: &Observed) -> Verdict {
    let name = &observed.once("nested service")?.name;
    ensure(!name.contains("covers"), || Shortfall::no(format!("`{name}`")))?;
    let unmatched = &observed.once("not found")?.name;
    ensure(name != unmatched, || Shortfall::partly(format!("`{name}`, the same as unmatched paths")))
}

pub fn renamed(observed: &Observed) -> Verdict {
    keeps(observed, "renamed by the handler", "shop.renamed")
}

/// Checks that health checks are not recorded.
pub fn ignored(observed: &Observed) -> Verdict {
    let recorded = observed.of("health check")?;
    ensure(recorded.requests.is_empty(), || Shortfall::no("recorded"))
}
