//! Records of transactions and errors as plain data: no clock, no I/O, no wire format.
//!
//! The pipeline makes them from running transactions and captured errors, off the request path. Exporters read them.

mod check_in;
mod drops;
mod durations;
mod error;
mod frame;
mod log_fields;
mod outcome;
mod repeats;
mod request;
mod same_failure;
mod span;
mod trace;
mod transaction;
mod value;

pub use check_in::CheckInRecord;
pub use drops::Drops;
pub use durations::DurationGroup;
pub(crate) use durations::Durations;
pub(crate) use error::LongPoll;
pub use error::{Cause, ErrorId, ErrorRecord, Level, Location, LogLine, Origin, Stack, TransactionReference};
pub use frame::Frame;
pub use log_fields::LogFields;
pub use outcome::{Outcome, TransactionResult};
pub(crate) use repeats::{Interval, Repeats};
pub use request::RequestRecord;
pub use span::{DroppedSpans, SpanRecord};
pub use trace::TraceParent;
pub use transaction::{BreakdownRecord, TransactionId, TransactionName, TransactionRecord};
pub use value::{User, Value};
