//! The application under test.

use std::net::SocketAddr;
use std::time::Duration;

use crate::MemoryExporter;
use opbeat_core::{Agent, Config};

/// An application that is monitored by the adapter under test.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The address that the application listens on.
    pub address: SocketAddr,
    /// The agent that the adapter records through.
    pub agent: &'a Agent,
    /// The exporter that the agent delivers to.
    pub exporter: &'a MemoryExporter,
    /// The kind of the adapter's transactions.
    pub kind: &'static str,
    /// The names of cases that the framework makes impossible, each with the reason.
    ///
    /// The test fails if an exempt case passes, or if there is no case of that name.
    pub exempt: &'a [(&'static str, &'static str)],
}

/// Returns an agent for a test, and the exporter that it delivers to.
///
/// The blocking threshold is one hour, since a poll may take long on a busy test machine.
pub fn monitored() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    let config = Config::default().blocking_threshold(Duration::from_secs(3_600));
    (Agent::with_exporter(&config, exporter.clone()), exporter)
}
