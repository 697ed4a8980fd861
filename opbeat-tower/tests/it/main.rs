//! Tests of the layer with real services. Tests that need a connection use a real port.

#![expect(clippy::unwrap_used, reason = "test code")]

mod app;
mod behaviour;
mod failures;
mod grpc;
mod limits;
mod names;
mod targets;

use opbeat_testing::behaviour::monitored;
