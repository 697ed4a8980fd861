//! The server through its ports and its command line: real files, real connections, real processes.

#![expect(clippy::unwrap_used, reason = "test code")]

mod agents;
mod api;
mod cases;
mod command;
mod crash;
mod figures;
mod heads;
mod intake;
mod pages;
mod ranges;
mod results;
mod running;
mod samples;
mod suite;
