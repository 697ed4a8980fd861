//! Drives real libraries against their servers, and compares the recorded spans with snapshots.

#[cfg(any(
    feature = "diesel-async",
    feature = "lapin",
    feature = "redis",
    feature = "tokio-postgres",
    feature = "tracing"
))]
mod backend;
#[cfg(feature = "opentelemetry")]
mod opentelemetry;
#[cfg(feature = "tracing")]
mod rows;
mod sql;
#[cfg(feature = "tracing")]
mod sqlx;
#[cfg(feature = "tracing")]
mod subscriber;
#[cfg(feature = "opentelemetry")]
mod tracing_opentelemetry;
#[allow(dead_code, reason = "the features decide which of its functions are used")]
mod tree;
