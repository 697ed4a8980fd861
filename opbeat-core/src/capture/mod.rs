//! From an error value to a record of it: its type, its chain of sources, the stack.

mod chain;
mod record;
mod stack;
mod type_name;

pub(crate) use record::{error_record, failure_record, message_record, panic_record, status_record};
