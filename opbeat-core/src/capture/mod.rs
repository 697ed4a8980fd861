//! Turns error values, panics and messages into records: the type, the chain of sources, the stack.

mod backtraces;
mod captured_error;
mod chain;
mod debug_output;
mod debug_text;
mod one_line;
mod panic_message;
mod record;
mod stack;
mod text;
mod type_name;

pub use captured_error::CapturedError;
pub use chain::error_chain;
pub use debug_output::debug_output;
#[cfg(feature = "tracing")]
pub(crate) use record::received_record;
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) use record::{LogField, event_record};
pub(crate) use record::{
    blocked_record, caught_panic_record, error_record, failure_record, incomplete_body_record, message_record,
    panic_record, status_record,
};
pub(crate) use stack::{allow as allow_stacks, call_stack};
pub(crate) use text::cut;
pub use text::display_output;
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) use text::format_event;
