//! The layer around real services, on a real port where the connection matters.

#![expect(clippy::unwrap_used, reason = "test code")]

mod app;
mod behaviour;
mod failures;
mod grpc;
mod limits;

use opbeat_testing::behaviour::monitored;
