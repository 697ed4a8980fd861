//! Reads the sources as text, for the rules that `xtask/tests/tidy.rs` states.

mod english;
mod graph;
mod lexer;
mod markdown;
mod modules;
mod prose;
mod sources;

pub use english::{Breach, prose_breaches};
pub use graph::{Circle, Import, crate_roots, file_circles, folder_circles, imports, public_names};
pub use prose::{Part, Sentence, sentences};
pub use sources::{Source, guides, manifests, sources};
