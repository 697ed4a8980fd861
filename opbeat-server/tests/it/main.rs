//! The server through its ports and its command line: real files, real connections, real processes.

#![expect(clippy::unwrap_used, reason = "test code")]

mod agents;
mod api;
mod cases;
mod client_side;
mod command;
mod config;
mod crash;
mod crons;
mod directory;
mod endpoints;
mod errors;
mod figures;
mod grouping;
mod heads;
mod health;
mod intake;
mod mutants;
mod otlp;
mod otlp_export;
mod pages;
mod parked;
mod ranges;
mod releases;
mod results;
mod running;
mod samples;
mod secrets;
mod sign_in;
mod suite;
mod traces;
