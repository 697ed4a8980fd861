//! The middleware in real actix applications on real ports.

#![expect(clippy::unwrap_used, reason = "test code")]

mod app;
mod behaviour;
mod requests;

use opbeat_actix::{Agent, Config};
use opbeat_core::testing::MemoryExporter;

fn monitored() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    (Agent::with_exporter(&Config::default(), exporter.clone()), exporter)
}
