//! Spans of databases, HTTP clients, brokers and job runners, without changes to handlers.

#[cfg(feature = "apalis")]
pub mod apalis;
#[cfg(feature = "askama")]
pub mod askama;
#[cfg(feature = "awc")]
pub mod awc;
#[cfg(feature = "bb8")]
pub mod bb8;
#[cfg(feature = "tower")]
pub mod client;
#[cfg(any(feature = "diesel", feature = "rusqlite", feature = "tokio-postgres"))]
mod database;
#[cfg(feature = "deadpool")]
pub mod deadpool;
#[cfg(feature = "diesel")]
pub mod diesel;
#[cfg(feature = "lapin")]
pub mod lapin;
#[cfg(feature = "minijinja")]
pub mod minijinja;
#[cfg(feature = "moka")]
pub mod moka;
#[cfg(feature = "mongodb")]
pub mod mongodb;
#[cfg(any(feature = "diesel", feature = "mongodb"))]
mod open_spans;
#[cfg(feature = "opentelemetry")]
pub mod opentelemetry;
#[cfg(any(feature = "awc", feature = "lapin", feature = "tower", feature = "ureq"))]
mod outgoing;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
mod pool_wait;
#[cfg(feature = "r2d2")]
pub mod r2d2;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "reqwest")]
pub mod reqwest;
#[cfg(feature = "rusqlite")]
pub mod rusqlite;
pub mod sql;
#[cfg(any(feature = "askama", feature = "minijinja", feature = "tera"))]
mod template;
#[cfg(feature = "tera")]
pub mod tera;
#[cfg(any(feature = "moka", feature = "redis", feature = "tokio-postgres"))]
mod timed;
#[cfg(feature = "tokio-postgres")]
pub mod tokio_postgres;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tracing")]
pub mod tracing;
#[cfg(feature = "ureq")]
pub mod ureq;
#[cfg(any(feature = "awc", feature = "lapin", feature = "opentelemetry", feature = "tower", feature = "ureq"))]
mod urls;

/// The code of the readme, which the compiler checks.
#[cfg(all(doctest, feature = "tracing"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The code blocks of the guides, which the compiler checks.
#[cfg(all(doctest, feature = "tracing"))]
#[doc = include_str!("../../docs/guides/databases.md")]
struct DatabasesGuide;

#[cfg(all(doctest, feature = "reqwest", feature = "tower"))]
#[doc = include_str!("../../docs/guides/http-clients.md")]
struct HttpClientsGuide;

#[cfg(all(doctest, feature = "opentelemetry"))]
#[doc = include_str!("../../docs/guides/opentelemetry.md")]
struct OpenTelemetryGuide;
