//! The layer in real axum applications on real ports.

#![expect(clippy::unwrap_used, reason = "test code")]

mod app;
mod behaviour;
mod errors;
mod extract;
mod ignored;
mod outside;

use opbeat_testing::behaviour::monitored;
