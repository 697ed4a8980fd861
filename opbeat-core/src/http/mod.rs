//! The transaction of an HTTP request, for adapters to web frameworks.
//!
//! An adapter uses one [`HttpTransaction`] for each request:
//!
//! 1. [`begin`](HttpTransaction::begin) when the request arrives.
//! 2. [`poll`](HttpTransaction::poll) around each poll of the handler's future.
//! 3. [`start_response`](HttpTransaction::start_response) when the response head (status and headers) is ready.
//! 4. `poll` again around each poll of the response body.
//! 5. [`complete`](HttpTransaction::complete) at the end of the response body.
//!
//! A transaction that is dropped before step 5 ends by itself. It counts as panicked if the handler panicked, as timed
//! out at a [time limit](HttpTransaction::set_time_limit), and as a disconnect of the client otherwise.

mod active_request;
mod catch;
mod entered;
mod name;
mod template;
mod transaction;
mod work;

pub use catch::catch_panic;
pub use entered::EnteredHttp;
pub use name::{has_no_body, outcome_of_status, route, static_method, unmatched};
pub use transaction::HttpTransaction;

/// The largest number of bytes of a body frame that an adapter passes on at once: 64 KiB.
///
/// A server takes a frame whole, and writes it while the client reads. So an adapter splits a larger frame: the server
/// then asks for the next part when the client has taken the one before, and the transaction lasts as long as the
/// client reads. A client that disconnects in between is noticed. Files are usually read in frames of this size too.
pub const LARGEST_FRAME: usize = 64 * 1024;

pub use crate::capture::{CapturedError, debug_output, display_output, error_chain};
pub use crate::notice::warn_once;
