//! The official agents, unmodified, against the binary. `README.md` in this folder says what each of them needs.

#![expect(clippy::unwrap_used, reason = "test code")]

mod browser;
mod deployments;
mod errors;
mod install;
mod mail;
mod node;
mod opbeat;
mod otlp;
mod program;
mod python;
mod recorder;
mod releases;
mod sent;
mod shop;
mod spans;
mod transactions;
