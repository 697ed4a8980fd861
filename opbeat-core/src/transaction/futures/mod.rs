//! Futures that run in a transaction or a span.

mod detached;
mod in_span;
mod in_transaction;

pub use detached::Detached;
pub use in_span::{InSpan, in_span};
pub use in_transaction::InTransaction;
