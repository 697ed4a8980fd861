//! SQL statements, reduced to a signature and a text that is safe to send.
//!
//! ```text
//! text ─► words: tokens, values removed ─► quotes: "name" or "value" ─┬─► signature
//!                                                                      └─► text
//! ```

mod cache;
mod parts;
mod quotes;
mod signature;
mod statement;
mod text;
mod words;

pub use statement::Statement;
