//! Error tracking and performance monitoring for Rust applications: transactions, spans and errors, sent to an Opbeat
//! server.
//!
//! Most applications use this crate through an adapter for their web framework, which records each request as a
//! transaction: `opbeat-axum`, `opbeat-actix` or `opbeat-tower`. They need this crate directly for jobs, spans and
//! error reports:
//!
//! 1. Start one [`Agent`] per process, with [`Agent::from_env`] or from a [`Config`]. Keep it until the process ends.
//! 2. Requests are recorded by the adapter. For each job, call [`Agent::job`].
//! 3. Measure parts of a transaction with [`span`] or [`in_span`].
//! 4. Report errors with [`capture_error`], messages with [`capture_message`]. Add users and tags through [`current`].
//!
//! For another framework, write an adapter with [`http::HttpTransaction`].
//!
//! # Examples
//!
//! ```
//! use opbeat_core::{Agent, Config};
//! use opbeat_testing::MemoryExporter;
//!
//! // Tests record into memory. An application starts its agent with `Agent::from_env()`.
//! let exporter = MemoryExporter::default();
//! let agent = Agent::with_exporter(&Config::default(), exporter.clone());
//!
//! let transaction = agent.begin_transaction("task.newsletter");
//! {
//!     let _entered = transaction.enter();
//!     let _span = opbeat_core::span("SELECT FROM readers", "db.sqlite.query");
//!     if let Err(error) = "no number".parse::<u32>() {
//!         opbeat_core::capture_error(&error);
//!     }
//! }
//! transaction.end("shop.newsletter", "ok");
//!
//! agent.flush(std::time::Duration::from_secs(5))?;
//! assert_eq!(exporter.count("shop.newsletter"), 1);
//! assert_eq!(exporter.errors()[0].message, "invalid digit found in string");
//! # Ok::<(), opbeat_core::export::FlushError>(())
//! ```
//!
//! # Modules
//!
//! | module | contents | needed by |
//! |---|---|---|
//! | [`config`] | errors of a configuration, and the environment variables | applications |
//! | [`task`] | futures, tasks and threads that run in a transaction | applications |
//! | `events` | reports of logged errors, ids in log lines, for `log` and `tracing` | applications |
//! | [`http`] | the transaction of an HTTP request | adapters |
//! | [`instrument`] | spans that libraries report from their hooks | instrumentation |
//! | [`jobs`] | jobs, and the context that travels with queued ones | applications, adapters to job runners |
//! | [`record`] | the recorded data, as plain values | exporters, tests |
//! | [`export`] | the trait of exporters, and those to an Opbeat server and to receivers of OpenTelemetry | exporters |
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `intake` | yes | delivery to an Opbeat server |
//! | `tls` | yes | delivery over HTTPS |
//! | `tokio` | | `spawn`, `spawn_blocking`, `spawn_local` and `JoinSetExt` in [`task`] |
//! | `serde` | | [`JobContext`](jobs::JobContext) as a field of a serialised job |
//! | `log`, `tracing` | | `events`: reports of logged errors, with the log lines before them |
//! | `otlp` | | delivery to receivers of OpenTelemetry, beside an Opbeat server or instead of it |

mod agent;
mod capture;
mod caught;
mod clock;
pub mod config;
#[cfg(feature = "intake")]
mod destinations;
mod diagnosis;
#[cfg(any(feature = "log", feature = "tracing"))]
pub mod events;
pub mod export;
pub mod http;
pub mod instrument;
pub mod jobs;
mod latest;
mod lock;
mod main_thread;
mod notice;
mod panic_hook;
mod pipeline;
pub mod record;
mod reported_panic;
mod running_agent;
pub mod task;
mod transaction;

pub use agent::{Agent, capture_error, capture_message};
pub use config::Config;
pub use record::{Level, User};
pub use transaction::{CurrentTransaction, Span, Transaction, current, in_span, span};

/// The code blocks of the guide to jobs, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/jobs.md")]
struct JobsGuide;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
