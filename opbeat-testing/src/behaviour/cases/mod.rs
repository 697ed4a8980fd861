//! The table of cases.

mod case;
mod ends;
mod names;
mod responses;
mod table;

pub(super) use case::PLAIN;
pub use case::{Case, ClientAction, Errors, HttpVersions};
pub use table::cases;
