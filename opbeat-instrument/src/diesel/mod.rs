//! Spans of diesel's and diesel-async's queries, connections and transactions.
//!
//! Install the hook before the application connects:
//!
//! ```
//! opbeat_instrument::diesel::install();
//! ```
//!
//! All connections that are made afterwards are recorded, in pools too. A span contains the query with placeholders;
//! bind values and connection URLs are never part of it.
//!
//! diesel's queries block, so they usually run on another thread than the handler. Start such threads with
//! `opbeat_core::task::spawn_blocking`, or [wrap the closure](opbeat_core::CurrentTransaction::wrap_fn): the queries
//! then belong to the handler's transaction.

mod error;
mod hook;
mod query_text;

pub use hook::Hook;

use diesel::connection::{Instrumentation, set_default_instrumentation};

/// Records all connections that are made from now on, in the whole process.
///
/// It replaces the process's default instrumentation. An application that has one of its own gives [`Hook`] to its
/// connections instead, or calls it from its own instrumentation.
pub fn install() {
    if let Err(error) = set_default_instrumentation(make_hook) {
        log::warn!(
            "cannot record diesel's queries: {error}; another default instrumentation panicked while it was set"
        );
    }
}

#[expect(clippy::unnecessary_wraps, reason = "diesel wants this type")]
fn make_hook() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(Hook::default()))
}
