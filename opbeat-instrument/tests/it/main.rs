//! Drives real libraries against their servers, and compares the recorded spans with snapshots.

#[cfg(feature = "apalis")]
mod apalis;
#[cfg(feature = "askama")]
mod askama;
#[cfg(feature = "awc")]
mod awc;
#[cfg(feature = "tracing")]
mod bad_spans;
#[cfg(feature = "bb8")]
mod bb8;
#[cfg(any(feature = "awc", feature = "lapin", feature = "tower", feature = "ureq"))]
#[allow(clippy::allow_attributes, dead_code, reason = "the features decide which of its functions are used")]
mod calls;
#[cfg(feature = "deadpool")]
mod deadpool;
#[cfg(feature = "diesel")]
mod diesel;
#[cfg(feature = "diesel-async")]
mod diesel_async;
#[cfg(feature = "tracing")]
mod filter;
#[cfg(any(feature = "awc", feature = "tower", feature = "ureq"))]
#[allow(clippy::allow_attributes, dead_code, reason = "the features decide which of its functions are used")]
mod http_server;
#[cfg(any(
    feature = "bb8",
    feature = "deadpool",
    feature = "diesel",
    feature = "moka",
    feature = "mongodb",
    feature = "r2d2",
    feature = "redis",
    feature = "rusqlite",
    feature = "tokio-postgres"
))]
mod job;
#[cfg(feature = "lapin")]
mod lapin;
#[cfg(feature = "minijinja")]
mod minijinja;
#[cfg(feature = "moka")]
mod moka;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
#[cfg(feature = "r2d2")]
mod r2d2;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "reqwest-middleware")]
mod reqwest;
#[cfg(feature = "tracing")]
mod rows;
#[cfg(feature = "rusqlite")]
mod rusqlite;
mod sql;
#[cfg(feature = "tracing")]
mod sqlx;
#[cfg(feature = "tracing")]
mod subscriber;
#[cfg(feature = "tera")]
mod tera;
#[cfg(feature = "tokio-postgres")]
mod tokio_postgres;
#[cfg(feature = "tonic")]
mod tonic;
#[cfg(feature = "tower")]
mod tower;
#[cfg(feature = "opentelemetry")]
mod tracing_opentelemetry;
#[allow(clippy::allow_attributes, dead_code, reason = "the features decide which of its functions are used")]
mod tree;
#[cfg(feature = "ureq")]
mod ureq;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "diesel-async", feature = "r2d2"))]
mod waiting;
