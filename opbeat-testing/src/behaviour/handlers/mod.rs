//! Functions that the handlers of the application under test call.

mod actions;
mod cart_error;
mod interleaved;
mod waiting;

pub use actions::{count_shelves, describe, large_body, rename, tag, tag_on_drop};
pub use cart_error::CartError;
pub use interleaved::interleave;
pub(super) use waiting::{arrived, open_gate, wait_for_arrival};
pub use waiting::{wait_for_reader, wait_forever};
