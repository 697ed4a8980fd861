//! The middleware in real actix applications on real ports.

#![expect(clippy::unwrap_used, reason = "test code")]

mod app;
mod behaviour;
mod errors;
mod names;
mod requests;
mod unanswered;

use opbeat_testing::behaviour::monitored;
