//! Live transactions and spans: what application code and adapters hold while something happens.
//!
//! A [`Transaction`] owns the end of one request or job. [`CurrentTransaction`] is the handle that code inside of it
//! finds by [`current`], and a [`Span`] times a part. What is current lies in a thread-local that a future swaps in
//! around each poll, so that tasks on one thread never see each other's.

mod active;
mod code_name;
mod context;
mod current;
mod detached;
mod entered;
mod guard;
mod late;
mod pool;
mod primary_error;
mod reports;
mod span;
mod span_values;
mod state;
mod trace;
mod wrap;

pub(crate) use active::{Active, End, Words};
pub(crate) use context::Context;
pub use current::{CurrentTransaction, current};
pub use detached::Detached;
pub use entered::Entered;
pub use guard::Transaction;
pub(crate) use pool::Pool;
pub(crate) use span::spans_without_transaction;
pub use span::{Span, in_span, span};
pub use wrap::{InSpan, InTransaction};
