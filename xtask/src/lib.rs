//! Reads the sources as text, for the rules that `xtask/tests/tidy.rs` states.

mod english;
mod imports;
mod lexer;
mod markdown;
mod prose;
mod sources;

pub use english::{Breach, prose_breaches};
pub use imports::{Import, imports};
pub use prose::{Part, Sentence, sentences};
pub use sources::{Source, guides, manifests, sources};
