//! The state of a running transaction, shared by its owner, its handles, its spans and its errors.

mod active;
mod baggage;
mod end;
mod finished_span;
mod log_lines;
mod pool;
mod primary_error;
mod reports;
mod span_values;
mod spans;
mod state;
mod timing;
mod trace;

pub(crate) use active::Active;
pub(super) use end::job_result;
pub(crate) use end::{End, ResultNames, nanoseconds};
pub use finished_span::FinishedSpan;
pub(crate) use pool::Pool;
pub(crate) use spans::{SpanRef, StartedSpan};
pub(super) use state::{TransactionState, count_span_without_transaction};
pub(crate) use state::{spans_without_transaction, unfinished_spans};
