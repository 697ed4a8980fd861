//! Test doubles for applications and adapters that use Opbeat.
//!
//! [`MemoryExporter`] keeps all records in memory, [`ScriptedServer`] is an Opbeat server whose responses a test
//! chooses, and [`behaviour`] tests a framework adapter.

pub mod behaviour;
mod memory;
mod server;

pub use memory::MemoryExporter;
pub use server::{ReceivedRequest, Reply, ScriptedServer};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
