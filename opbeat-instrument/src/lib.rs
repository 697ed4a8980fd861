//! Spans of databases, HTTP clients, brokers and job runners, without changes to handlers.

#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
pub mod sql;
#[cfg(feature = "tracing")]
pub mod tracing;

/// The code of the readme, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
