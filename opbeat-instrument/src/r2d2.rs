//! Waits for connections of [`r2d2`] pools.
//!
//! ```
//! # #[derive(Debug)] struct Manager;
//! # impl r2d2::ManageConnection for Manager {
//! #     type Connection = (); type Error = std::io::Error;
//! #     fn connect(&self) -> Result<(), std::io::Error> { Ok(()) }
//! #     fn is_valid(&self, _: &mut ()) -> Result<(), std::io::Error> { Ok(()) }
//! #     fn has_broken(&self, _: &mut ()) -> bool { false }
//! # }
//! # let manager = Manager;
//! let pool = r2d2::Pool::builder().event_handler(opbeat_instrument::r2d2::waits()).build(manager)?;
//! # Ok::<(), r2d2::Error>(())
//! ```

use r2d2::HandleEvent;
use r2d2::event::{CheckoutEvent, TimeoutEvent};

use crate::pool_wait;

const SIGNATURE: &str = "r2d2 checkout";

/// Makes an event handler for [`r2d2::Builder::event_handler`], which records waits for a connection.
///
/// Waits of at least 1 ms become spans of the kind `db.pool.wait`, and timeouts have the extra value `error`.
#[must_use]
pub fn waits() -> Box<dyn HandleEvent> {
    Box::new(Waits)
}

#[derive(Debug)]
struct Waits;

impl HandleEvent for Waits {
    fn handle_checkout(&self, event: CheckoutEvent) {
        pool_wait::record(SIGNATURE, event.duration(), None);
    }

    fn handle_timeout(&self, event: TimeoutEvent) {
        pool_wait::record(SIGNATURE, event.timeout(), Some("timeout"));
    }
}
