//! The layer around real services, on a real port where the connection matters.

mod app;
mod behaviour;
mod failures;

use opbeat_core::testing::behaviour::monitored;
