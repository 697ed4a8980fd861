//! Reads the sources as text, for the rules that `xtask/tests/tidy.rs` states.
//!
//! Two commands list the places to mend while one works on them:
//!
//! - `cargo run -q -p xtask --bin prose -- PATH…` lists the sentences that are not in plain English.
//! - `cargo run -q -p xtask --bin imports -- CRATE…` lists the circles of imports among files and folders.

mod circles;
mod english;
mod graph;
mod lexer;
mod markdown;
mod modules;
mod prose;
mod sources;

pub use circles::{Circle, file_circles, folder_circles};
pub use english::{Breach, prose_breaches};
pub use graph::{Import, crate_roots, imports, public_names};
pub use prose::{Part, Sentence, sentences};
pub use sources::{Source, guides, manifests, sources};
