//! The page `/metrics`: the figures of this process, in the text format of Prometheus
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! No figure names an organization or an app, so that the page needs no token.

use std::fmt::{Display, Write as _};
use std::fs;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::health::{Figures, Health};
use super::progress::Lag;
use crate::intake::Refusals;

/// The text format and its version.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The parts whose figures the page shows.
#[derive(Clone)]
pub(super) struct Metrics {
    /// The condition of the queue, the worker and the database.
    pub(super) health: Health,
    /// The refused requests, of a process that accepts data.
    pub(super) refusals: Option<Refusals>,
}

impl Metrics {
    /// Makes the route of the page.
    pub(super) fn router(self) -> Router {
        Router::new().route("/metrics", get(page)).with_state(self)
    }

    fn text(&self) -> String {
        let mut text = Text::default();
        text.metric("opbeat_build_info", "gauge", "The version of the server; always 1.");
        text.value("opbeat_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        text.metric("opbeat_refused_requests_total", "counter", "Requests that were refused since the start.");
        for total in self.refusals.iter().flat_map(Refusals::totals) {
            let status = total.status.to_string();
            let labels = [("reason", total.reason), ("status", status.as_str())];
            text.value("opbeat_refused_requests_total", &labels, total.count);
        }
        let Figures { lag, backlog, waiting, damages, is_accepting, is_database_ok, is_disk_low } =
            self.health.figures();
        if let Some(is_accepting) = is_accepting {
            text.gauge("opbeat_accepting", "Whether data is accepted.", u8::from(is_accepting));
        }
        text.gauge("opbeat_database_up", "Whether the database answers.", u8::from(is_database_ok));
        if let Some(is_low) = is_disk_low {
            text.gauge("opbeat_disk_low", "Whether the disk of the data folder is almost full.", u8::from(is_low));
        }
        text.gauge("opbeat_queue_disk_bytes", "Data that waits on the disk of this machine.", backlog);
        if let Some(waiting) = waiting {
            text.gauge("opbeat_queue_broker_records", "Records that wait in RabbitMQ.", waiting);
        }
        if let Some(lag) = lag {
            text.lag(lag);
        }
        text.metric("opbeat_queue_damages_total", "counter", "Damaged places that were found in the queue.");
        text.value("opbeat_queue_damages_total", &[], damages);
        if let Some(bytes) = resident_bytes() {
            text.gauge("process_resident_memory_bytes", "The memory of the process.", bytes);
        }
        if let Some(files) = open_files() {
            text.gauge("process_open_fds", "The open files and connections of the process.", files);
        }
        text.0
    }
}

async fn page(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(CONTENT_TYPE, FORMAT)], metrics.text())
}

/// The text of the page.
#[derive(Default)]
struct Text(String);

impl Text {
    /// Begins a metric.
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        // A string takes all text.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Adds a value. Labels have no characters that need an escape.
    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// Adds how late the worker is.
    fn lag(&mut self, lag: Lag) {
        let help = "The age of the oldest data that is not stored.";
        self.gauge("opbeat_storing_lag_seconds", help, lag.oldest.as_secs_f64());
        let help = "The time for which data has waited and none was stored.";
        self.gauge("opbeat_storing_stuck_seconds", help, lag.without_progress.as_secs_f64());
    }

    /// Adds a metric with one value that can fall.
    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.metric(name, "gauge", help);
        self.value(name, &[], value);
    }
}

/// Returns the resident memory of the process. Only Linux reports it.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    kilobytes.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kilobytes| kilobytes * 1_024)
}

/// Returns the number of open file descriptors. Only Linux reports it.
fn open_files() -> Option<usize> {
    fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}
