//! Errors of unknown types, which are known by the text that they print.
//!
//! ```text
//! text: `Debug` output without backtrace ─► causes: read from it ─► error: with a chain of sources
//! ```

mod causes;
mod error;
mod text;

pub(crate) use error::PrintedError;
