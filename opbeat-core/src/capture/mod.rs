//! Turns error values, panics and messages into records: the type, the chain of sources, the stack.

mod captured_error;
mod chain;
mod debug_text;
mod panic_message;
mod record;
mod stack;
mod text;
mod type_name;

pub use captured_error::CapturedError;
#[cfg(feature = "tracing")]
pub(crate) use chain::MAX_CHAIN;
pub use chain::error_chain;
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) use record::{LogField, event_record};
pub(crate) use record::{
    blocked_record, caught_panic_record, error_record, failure_record, incomplete_body_record, message_record,
    panic_record, status_record,
};
pub(crate) use stack::allow as allow_stacks;
#[cfg(feature = "tracing")]
pub(crate) use text::cut;
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) use text::format;
