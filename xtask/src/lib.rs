//! Reads the sources as text, for the rules that `xtask/tests/tidy.rs` states.

mod imports;
mod sources;

pub use imports::{Import, imports};
pub use sources::{Source, manifests, sources};
