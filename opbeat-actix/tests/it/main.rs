//! The middleware in real actix applications on real ports.

#![expect(clippy::unwrap_used, reason = "test code")]

mod app;
mod behaviour;
mod errors;
mod files;
mod pending_names;
mod public_types;
mod requests;
mod route_names;

use opbeat_testing::behaviour::monitored;
