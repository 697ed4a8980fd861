//! Transactions, spans and errors of a web application, recorded at next to no cost and sent to Opbeat.
//!
//! An [`Agent`] is started once, from a [`Config`]. A [`Transaction`] is one request or one job; [`span`]s are its
//! parts; [`capture_error`] and [`capture_message`] report what failed in it. Web frameworks are hooked by adapters,
//! the crates `opbeat-axum`, `opbeat-tower` and `opbeat-actix`, or one of your own over [`http::HttpTransaction`].
//!
//! # Examples
//!
//! ```
//! use opbeat_core::{Agent, Config};
//! use opbeat_testing::MemoryExporter;
//!
//! let exporter = MemoryExporter::default();
//! let agent = Agent::with_exporter(&Config::default(), exporter.clone());
//!
//! let transaction = agent.begin_transaction("task.newsletter");
//! {
//!     let _entered = transaction.enter();
//!     let _span = opbeat_core::span("SELECT FROM readers", "db.sqlite.query");
//! }
//! transaction.end("shop.newsletter", "ok");
//!
//! agent.flush(std::time::Duration::from_secs(5))?;
//! assert_eq!(exporter.count("shop.newsletter"), 1);
//! # Ok::<(), opbeat_core::export::FlushError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | what it brings |
//! |---|---|---|
//! | `intake` | yes | delivery to an Opbeat server |
//! | `tls` | yes | the same over HTTPS |
//! | `tokio` | | `task`: tasks that stay in their transaction |
//! | `log`, `tracing` | | `events`: what is logged as an error is reported |

mod agent;
mod capture;
mod caught;
pub mod config;
mod diagnosis;
#[cfg(any(feature = "log", feature = "tracing"))]
pub mod events;
pub mod export;
pub mod http;
mod latest;
mod lock;
mod notice;
mod panic_hook;
mod pipeline;
pub mod record;
pub mod task;
mod transaction;

pub use agent::{Agent, capture_error, capture_message};
pub use config::Config;
pub use record::{Level, User};
pub use transaction::{CurrentTransaction, Span, Transaction, current, in_span, span};

/// The code of the guide, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/jobs.md")]
struct JobsGuide;
