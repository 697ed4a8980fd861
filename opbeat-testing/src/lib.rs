//! Test doubles, for this project and for those who use it.

pub mod behaviour;
mod memory;
mod server;

pub use memory::MemoryExporter;
pub use server::{Reply, ScriptedServer, Seen};
