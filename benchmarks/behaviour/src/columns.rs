//! The compared crates.

use crate::peers::{self, Peer};

/// The lock file, which contains the versions.
const LOCK: &str = include_str!("../../Cargo.lock");

/// One crate for one framework.
#[derive(Debug)]
pub struct Column {
    pub framework: &'static str,
    pub name: &'static str,
    /// The cases that the framework makes impossible.
    pub exempt: &'static [&'static str],
    /// Starts the application.
    pub start: fn() -> Peer,
}

/// Cases that actix makes impossible: it notices an orderly close only when it writes, sends no trailers, and has no
/// opaque services.
const ACTIX: &[&str] = &["disconnect before the response head", "trailers"];

const fn axum(name: &'static str, start: fn() -> Peer) -> Column {
    Column { framework: "axum", name, exempt: &[], start }
}

const fn actix(name: &'static str, start: fn() -> Peer) -> Column {
    Column { framework: "actix", name, exempt: ACTIX, start }
}

/// The columns, with Opbeat first for each framework.
pub const COLUMNS: [Column; 8] = [
    axum("opbeat-axum", peers::opbeat::axum),
    axum("sentry-tower", peers::sentry::axum),
    axum("opentelemetry-instrumentation-tower", peers::opentelemetry::axum),
    axum("axum-tracing-opentelemetry", peers::tracing::axum),
    axum("fastrace-axum", peers::fastrace::axum),
    actix("opbeat-actix", peers::opbeat::actix),
    actix("sentry-actix", peers::sentry::actix),
    actix("opentelemetry-instrumentation-actix-web", peers::opentelemetry::actix),
];

impl Column {
    pub fn find(framework: &str, name: &str) -> Option<&'static Self> {
        COLUMNS.iter().find(|column| (column.framework, column.name) == (framework, name))
    }

    pub fn is_ours(&self) -> bool {
        self.name.starts_with("opbeat-")
    }

    /// Returns the version of the crate in this build.
    pub fn version(&self) -> &'static str {
        let entry = LOCK.split("[[package]]").find(|entry| field(entry, "name") == Some(self.name));
        entry.and_then(|entry| field(entry, "version")).expect("each column is a dependency")
    }
}

fn field<'a>(entry: &'a str, key: &str) -> Option<&'a str> {
    entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"'))
}
