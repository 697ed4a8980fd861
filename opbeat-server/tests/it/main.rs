//! The server through its ports and its command line: real files, real connections, real processes.

#![expect(clippy::unwrap_used, reason = "test code")]

mod agents;
mod api;
mod apps;
mod backup;
mod base_path;
mod cases;
mod client_side;
mod command;
mod config;
mod connections;
mod crons;
mod database;
mod directory;
mod endpoints;
mod errors;
mod figures;
mod grouping;
mod heads;
mod health;
mod https;
mod intake;
mod limits;
mod listen;
mod metrics;
mod mutants;
mod otlp;
mod otlp_export;
mod pages;
mod parked;
mod postgres;
mod probe;
mod process;
mod ranges;
mod releases;
mod results;
mod running;
mod samples;
mod secrets;
mod sign_in;
mod stop;
mod suite;
mod traces;
mod triage;
