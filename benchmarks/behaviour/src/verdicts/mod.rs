//! Holds what was recorded against what is asked for.

mod ends;
mod errors;
mod names;
mod responses;
mod told;

use std::fmt;

pub use self::ends::{described, left_tags, panicked, spawned, tagged_in_panic, tags};
pub use self::errors::{broken_body, caused, located, reported, reported_once, typed};
pub use self::names::{folded, keeps, left_out, nested_service, renamed};
pub use self::responses::{client_error, every_response, lasts, upgraded};
pub use self::told::told;
use crate::recorded::{Recorded, Request};

/// Whether it does what is asked for.
pub type Verdict = Result<(), Short>;

/// What it falls short of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Short {
    /// The framework allows no more.
    Impossible,
    Partly(String),
    No(String),
}

impl Short {
    pub fn no(reason: impl Into<String>) -> Self {
        Self::No(reason.into())
    }

    pub fn partly(reason: impl Into<String>) -> Self {
        Self::Partly(reason.into())
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible => f.write_str("–"),
            Self::Partly(reason) => write!(f, "partly: {reason}"),
            Self::No(reason) => write!(f, "no: {reason}"),
        }
    }
}

/// The case that others are compared with.
const SUCCESS: &str = "plain";

fn ensure(holds: bool, short: impl FnOnce() -> Short) -> Verdict {
    if holds { Ok(()) } else { Err(short()) }
}

/// Returns whether two requests look alike to those who look for what went wrong, but for their status.
fn look_alike(one: (&Request, &Recorded), other: (&Request, &Recorded)) -> bool {
    one.0.mark == other.0.mark && one.1.failures.is_empty() == other.1.failures.is_empty()
}
