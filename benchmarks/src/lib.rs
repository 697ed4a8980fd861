//! Load and measurements, shared by both programs.

pub mod bound;
pub mod lane;
pub mod process;
pub mod processor;
pub mod quantiles;
pub mod sink;

mod connection;
mod intake;
