//! The layer around real services, on a real port where the connection matters.

mod app;
mod behaviour;
mod failures;

use opbeat_core::testing::MemoryExporter;
use opbeat_tower::{Agent, Config};

fn monitored() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    (Agent::with_exporter(&Config::default(), exporter.clone()), exporter)
}
