//! The context of the running code: its current transaction and span, and the guards that change them.

mod carry;
mod code_name;
mod context;
mod entered;
mod late;

pub(super) use carry::Place;
pub use carry::{Carried, Carrier, LivePosition, set_carrier};
pub(super) use code_name::CodeName;
pub(crate) use context::Context;
pub use entered::Entered;
pub(super) use late::LateWork;
