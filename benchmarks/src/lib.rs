//! What both programs load applications with, and read off them.

pub mod bound;
pub mod lane;
pub mod process;
pub mod processor;
pub mod quantiles;
pub mod sink;

mod connection;
mod intake;
