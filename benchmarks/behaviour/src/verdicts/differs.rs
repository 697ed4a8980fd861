//! Whether an outcome differs from others.

use super::{Shortfall, Verdict, look_alike};
use crate::observed::Observed;

/// Checks that the outcome of a request differs from those of other cases, each given with a description.
pub fn differs(observed: &Observed, case: &str, others: &[(&str, &str)]) -> Verdict {
    let request = observed.once(case)?;
    let mut differs_by_status = false;
    for (other, description) in others {
        let Ok(like) = observed.once(other) else { continue };
        if !look_alike((request, observed.of(case)?), (like, observed.of(other)?)) {
            continue;
        }
        if request.code == like.code {
            return Err(Shortfall::no(format!("looks like {description}")));
        }
        differs_by_status = true;
    }
    match request.code {
        _ if !differs_by_status => Ok(()),
        Some(code) => Err(Shortfall::partly(format!("only by its status {code}"))),
        None => Err(Shortfall::partly("only by having no status")),
    }
}
