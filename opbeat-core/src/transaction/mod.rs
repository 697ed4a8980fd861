//! Running transactions and spans: the handles that application code and adapters hold.
//!
//! A [`Transaction`] owns the end of one request or job. [`CurrentTransaction`] is the handle that code inside of it
//! gets from [`current`](current()), and a [`Span`] measures a part of it.
//!
//! ```text
//! transaction ─► current ─► futures ─► panics ─► position ─► span ─► scope ─► running
//! ```
//!
//! Imports run in this direction only: `running` has the shared state of one transaction, and `scope` has the
//! thread-local context. A future swaps its own context into the thread-local for each poll, so that two tasks on one
//! thread never see each other's transaction.

mod current;
mod futures;
mod panics;
mod position;
mod running;
mod scope;
mod span;
#[expect(clippy::module_inception, reason = "the file is named after the type that it defines")]
mod transaction;

pub use current::{CurrentTransaction, current};
pub use futures::{Detached, InSpan, InTransaction, in_span};
pub(crate) use panics::{report_panic, report_panics};
pub use position::Position;
pub use running::FinishedSpan;
pub(crate) use running::{Active, End, Pool, ResultNames, nanoseconds, spans_without_transaction, unfinished_spans};
pub(crate) use scope::Context;
pub use scope::{Carried, Carrier, Entered, LivePosition, set_carrier};
pub use span::{Span, span};
pub use transaction::Transaction;
