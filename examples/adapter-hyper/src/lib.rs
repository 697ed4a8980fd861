//! An adapter for bare hyper, without tower: what an adapter has to do, and nothing else.
//!
//! [`Router`] is the web framework, as small as can be, and knows nothing of transactions. [`Opbeat`] is the adapter: two
//! files, `adapter.rs` and `monitored.rs`, that are meant to be copied.

mod adapter;
mod monitored;
mod router;

pub use adapter::Opbeat;
pub use monitored::Monitored;
pub use router::{Answer, Body, Router};
