//! The page `/metrics`: the figures of this process, in the text format of Prometheus
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! No figure names an organization or an app, so that the page needs no token.

use std::fmt::{Display, Write as _};
use std::fs;
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::health::{Figures, Health};
use super::probe::{ProbeFigures, ProbeState, Step};
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

/// A metric, which is a row of the guide's table.
struct Metric {
    name: &'static str,
    kind: &'static str,
    /// The meaning, without a full stop.
    meaning: &'static str,
}

impl Metric {
    const fn gauge(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: "gauge", meaning }
    }

    const fn counter(name: &'static str, meaning: &'static str) -> Self {
        Self { name, kind: "counter", meaning }
    }
}

const BUILD_INFO: Metric = Metric::gauge("opbeat_build_info", "the label `version` has the version; always 1");
const ACCEPTING: Metric =
    Metric::gauge("opbeat_accepting", "1 while data is accepted, in a process that accepts data, else 0");
const REFUSED: Metric = Metric::counter(
    "opbeat_refused_requests_total",
    "requests of agents that were refused, by the labels `reason` and `status`",
);
const DATABASE_UP: Metric = Metric::gauge("opbeat_database_up", "1 while the database answers, else 0");
const DISK_LOW: Metric = Metric::gauge(
    "opbeat_disk_low",
    "1 while the disk of the data folder is almost full, so that data is refused, else 0",
);
const DISK_BYTES: Metric =
    Metric::gauge("opbeat_queue_disk_bytes", "data that waits on the disk of this machine: the queue, or the spool");
const BROKER_RECORDS: Metric =
    Metric::gauge("opbeat_queue_broker_records", "records that wait in RabbitMQ, as far as this process knows");
const SET_ASIDE: Metric = Metric::gauge(
    "opbeat_queue_set_aside_records",
    "records that are kept in files, since they are larger than RabbitMQ takes",
);
const DAMAGES: Metric = Metric::counter("opbeat_queue_damages_total", "damaged places that were found in the queue");
const LAG: Metric = Metric::gauge(
    "opbeat_storing_lag_seconds",
    "the age of the oldest data that is not stored, in a process with a worker",
);
const STUCK: Metric = Metric::gauge(
    "opbeat_storing_stuck_seconds",
    "the time for which data has waited and none was stored, in a process with a worker",
);
const PROBE_UP: Metric =
    Metric::gauge("opbeat_probe_up", "1 after an end-to-end probe that succeeded, 0 after one that failed");
const PROBE_VISIBLE: Metric = Metric::gauge(
    "opbeat_probe_visible_seconds",
    "the time of the last successful probe from sending a transaction until it could be read",
);
const PROBE_SUCCESS: Metric = Metric::gauge(
    "opbeat_probe_last_success_timestamp_seconds",
    "the end of the last successful probe, in seconds since 1970",
);
const PROBE_SUCCESSES: Metric = Metric::counter("opbeat_probe_successes_total", "probes that succeeded");
const PROBE_FAILURES: Metric = Metric::counter(
    "opbeat_probe_failures_total",
    "probes that failed, by the label `step`: `prepare`, `send`, `store` or `read`",
);
const MEMORY: Metric = Metric::gauge("process_resident_memory_bytes", "the memory of the process, on Linux");
const FILES: Metric = Metric::gauge("process_open_fds", "the open files and connections of the process, on Linux");

impl Metrics {
    /// Makes the route of the page.
    pub(super) fn router(self) -> Router {
        Router::new().route("/metrics", get(page)).with_state(self)
    }

    fn text(&self) -> String {
        let mut text = Text::default();
        text.begin(&BUILD_INFO).value(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        let Figures { lag, backlog, waiting, damages, is_accepting, is_database_ok, is_disk_low, set_aside, probe } =
            self.health.figures();
        if let Some(is_accepting) = is_accepting {
            text.begin(&ACCEPTING).value(&[], u8::from(is_accepting));
        }
        if let Some(refusals) = &self.refusals {
            let mut refused = text.begin(&REFUSED);
            for total in refusals.totals() {
                let status = total.status.to_string();
                refused.value(&[("reason", total.reason), ("status", status.as_str())], total.count);
            }
        }
        text.begin(&DATABASE_UP).value(&[], u8::from(is_database_ok));
        if let Some(is_low) = is_disk_low {
            text.begin(&DISK_LOW).value(&[], u8::from(is_low));
        }
        text.begin(&DISK_BYTES).value(&[], backlog);
        if let Some(waiting) = waiting {
            text.begin(&BROKER_RECORDS).value(&[], waiting);
        }
        if let Some(records) = set_aside {
            text.begin(&SET_ASIDE).value(&[], records);
        }
        text.begin(&DAMAGES).value(&[], damages);
        if let Some(lag) = lag {
            text.begin(&LAG).value(&[], lag.oldest.as_secs_f64());
            text.begin(&STUCK).value(&[], lag.without_progress.as_secs_f64());
        }
        if let Some(probe) = probe {
            text.probe(&probe);
        }
        if let Some(bytes) = resident_bytes() {
            text.begin(&MEMORY).value(&[], bytes);
        }
        if let Some(files) = open_files() {
            text.begin(&FILES).value(&[], files);
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
    fn begin(&mut self, metric: &Metric) -> Values<'_> {
        let Metric { name, kind, meaning } = metric;
        // A string takes all text.
        let _ = writeln!(self.0, "# HELP {name} {}\n# TYPE {name} {kind}", meaning.replace('`', ""));
        Values { name: metric.name, text: &mut self.0 }
    }

    /// Adds the results of the probes. Values that no probe has had yet are left out.
    fn probe(&mut self, probe: &ProbeFigures) {
        match probe.state() {
            ProbeState::Waiting => {}
            ProbeState::Ok => self.begin(&PROBE_UP).value(&[], 1),
            ProbeState::Failing(..) => self.begin(&PROBE_UP).value(&[], 0),
        }
        if let Some(visible) = probe.visible {
            self.begin(&PROBE_VISIBLE).value(&[], visible.as_secs_f64());
        }
        if let Some(at) = probe.succeeded_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok()) {
            self.begin(&PROBE_SUCCESS).value(&[], at.as_secs_f64());
        }
        self.begin(&PROBE_SUCCESSES).value(&[], probe.successes);
        let mut failures = self.begin(&PROBE_FAILURES);
        for (step, count) in Step::ALL.into_iter().zip(probe.failures) {
            failures.value(&[("step", step.name())], count);
        }
    }
}

/// The values of a metric.
struct Values<'t> {
    name: &'static str,
    text: &'t mut String,
}

impl Values<'_> {
    /// Adds a value. Labels have no characters that need an escape.
    fn value(&mut self, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<_> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_contains_the_table() {
        let metrics = [
            &BUILD_INFO,
            &ACCEPTING,
            &REFUSED,
            &DATABASE_UP,
            &DISK_LOW,
            &DISK_BYTES,
            &BROKER_RECORDS,
            &SET_ASIDE,
            &DAMAGES,
            &LAG,
            &STUCK,
            &PROBE_UP,
            &PROBE_VISIBLE,
            &PROBE_SUCCESS,
            &PROBE_SUCCESSES,
            &PROBE_FAILURES,
            &MEMORY,
            &FILES,
        ];
        let source = include_str!("metrics.rs");
        assert_eq!(source.matches(": Metric =").count(), metrics.len() + 1, "the list above has all metrics");
        let row = |metric: &&Metric| format!("| `{}` | {} | {} |", metric.name, metric.kind, metric.meaning);
        let rows: Vec<String> = metrics.iter().map(row).collect();
        let table = format!("| metric | type | meaning |\n|---|---|---|\n{}\n", rows.join("\n"));
        let guide = include_str!("../../../docs/guides/server.md");
        assert!(guide.contains(&table), "docs/guides/server.md does not contain this table:\n{table}");
    }
}
