//! Removes secrets from every text of a body that can reach the disk.
//!
//! Structs are taken apart field by field, so that a new field of the protocol does not compile until it is scrubbed.

mod clean;
mod errors;
mod transactions;
mod values;

pub(super) use errors::{error, frames, notes};
pub(super) use transactions::{context, names};
pub(super) use values::{map, scrub_id, scrub_text};
