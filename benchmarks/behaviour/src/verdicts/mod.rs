//! Compares the recorded data with the requirements.

mod differs;
mod ends;
mod errors;
mod names;
mod responses;

use std::fmt;

pub use self::differs::differs;
pub use self::ends::{described, panicked, spawned, tagged_in_panic, tags, tags_with_destructors};
pub use self::errors::{broken_body, caused, located, reported, reported_once, typed};
pub use self::names::{folded, ignored, keeps, nested_service, renamed};
pub use self::responses::{client_error, every_response, lasts, upgraded};
use crate::recorded::{Recorded, Request};

/// Whether the requirement is met.
pub type Verdict = Result<(), Shortfall>;

/// The reason why a requirement is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// The framework makes the case impossible.
    Impossible,
    Partly(String),
    No(String),
}

impl Shortfall {
    pub fn no(reason: impl Into<String>) -> Self {
        Self::No(reason.into())
    }

    pub fn partly(reason: impl Into<String>) -> Self {
        Self::Partly(reason.into())
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible => f.write_str("–"),
            Self::Partly(reason) => write!(f, "partly: {reason}"),
            Self::No(reason) => write!(f, "no: {reason}"),
        }
    }
}

/// The case that other cases are compared with.
const SUCCESS: &str = "plain";

fn ensure(holds: bool, short: impl FnOnce() -> Shortfall) -> Verdict {
    if holds { Ok(()) } else { Err(short()) }
}

/// Returns whether two requests look equal except for their status: same mark, and both with or both without an error.
fn look_alike(one: (&Request, &Recorded), other: (&Request, &Recorded)) -> bool {
    one.0.mark == other.0.mark && one.1.failures.is_empty() == other.1.failures.is_empty()
}
