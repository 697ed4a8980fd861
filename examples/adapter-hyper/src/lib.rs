//! The smallest complete adapter: for hyper alone, without tower.
//!
//! [`Router`] is a minimal web framework, which does not use transactions. [`Opbeat`] is the adapter: two files,
//! `adapter.rs` and `monitored.rs`, to copy for an adapter of your own.

mod adapter;
mod monitored;
mod router;

pub use adapter::Opbeat;
pub use monitored::Monitored;
pub use router::{Answer, Body, Router};
