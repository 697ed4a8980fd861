//! The core through its public API, with real threads, a real server on a port, and real panics.

#![expect(clippy::unwrap_used, reason = "test code")]

mod alone;
mod backtraces;
mod before_send;
mod bounds;
mod call_sites;
mod context;
mod crons;
mod delivery;
mod diagnosis;
mod endings;
mod errors;
mod heads;
mod http;
mod http_ends;
mod jobs;
mod large;
mod late;
mod log_lines;
mod logs;
mod notices;
mod otlp;
mod outages;
mod overload;
mod panics;
mod positions;
mod raw_server;
mod rejections;
mod repeats;
mod reports;
mod secrets;
mod several;
mod spans;
mod traces;
mod transactions;
mod work;

use std::time::Duration;

use opbeat_core::{Agent, Config};
use opbeat_testing::MemoryExporter;

/// A timeout that is long enough for any machine. Only failing tests wait this long.
const PATIENCE: Duration = Duration::from_secs(30);

fn monitored() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    (Agent::with_exporter(&Config::default(), exporter.clone()), exporter)
}
