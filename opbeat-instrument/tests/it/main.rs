//! Drives real libraries against their servers, and compares the recorded spans with snapshots.

#[cfg(any(
    feature = "diesel-async",
    feature = "lapin",
    feature = "redis",
    feature = "tokio-postgres",
    feature = "tracing"
))]
mod backend;
mod sql;
#[allow(dead_code, reason = "the features decide which of its functions are used")]
mod tree;
