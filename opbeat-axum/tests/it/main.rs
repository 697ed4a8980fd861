//! Tests of the layer in real axum applications, with and without a port.

#![expect(clippy::unwrap_used, reason = "test code")]

mod app;
mod behaviour;
mod errors;
mod extract;
mod grpc;
mod ignored;
mod names;
mod placement;
mod targets;
mod websocket;

use opbeat_testing::behaviour::monitored;
