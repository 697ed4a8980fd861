//! Whether an ending is told from others.

use super::{Short, Verdict, look_alike};
use crate::observed::Observed;

/// Checks that a request's ending looks like none of some others, which come with words for them.
pub fn told(observed: &Observed, case: &str, others: &[(&str, &str)]) -> Verdict {
    let request = observed.once(case)?;
    let mut differs_by_status = false;
    for (other, words) in others {
        let Ok(like) = observed.once(other) else { continue };
        if !look_alike((request, observed.of(case)?), (like, observed.of(other)?)) {
            continue;
        }
        if request.code == like.code {
            return Err(Short::no(format!("looks like {words}")));
        }
        differs_by_status = true;
    }
    match request.code {
        _ if !differs_by_status => Ok(()),
        Some(code) => Err(Short::partly(format!("only by its status {code}"))),
        None => Err(Short::partly("only by having no status")),
    }
}
