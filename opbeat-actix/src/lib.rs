//! Opbeat for actix-web: a middleware that names requests after their resources and reports their errors.
//!
//! # Examples
//!
//! ```no_run
//! use actix_web::{App, HttpServer, get, web};
//! use opbeat_actix::{Agent, Current, Opbeat, User};
//!
//! #[get("/books/{id}")]
//! async fn book(id: web::Path<u32>, Current(transaction): Current) -> String {
//!     transaction.set_user(User::new(42));
//!     format!("book {id}")
//! }
//!
//! # async fn start() -> std::io::Result<()> {
//! let agent = Agent::from_env();
//! HttpServer::new(move || App::new().wrap(Opbeat::new(&agent)).service(book))
//!     .bind("127.0.0.1:3000")?
//!     .run()
//!     .await
//! # }
//! ```
//!
//! Wrap the `App` with [`Opbeat`] last, so that it wraps the other middlewares.
//!
//! # Modules
//!
//! The root has the middleware, an extractor and an error for handlers, and the types and functions of `opbeat-core`
//! that applications use. The types that the middleware makes are in [`service`]. Applications that write their own
//! exporter, for [`Agent::with_exporter`], also need [`export`] and [`record`].

mod body;
mod error;
mod extract;
mod future;
mod middleware;
mod names;
mod nesting;
mod printed;
mod recorded_error;
mod report;
mod request;
mod request_body;
mod respond;
mod websocket;

pub use error::{Error, Result};
pub use extract::Current;
pub use middleware::Opbeat;
pub use opbeat_core::config::ConfigError;
#[cfg(any(feature = "log", feature = "tracing"))]
pub use opbeat_core::events;
pub use opbeat_core::export::{Build, Contact, Diagnosis, FlushError};
pub use opbeat_core::http::CapturedError;
pub use opbeat_core::record::{
    Drops, ErrorId, Outcome, TraceParent, TransactionId, TransactionName, TransactionResult, Value,
};
pub use opbeat_core::task::{
    Detached, Entered, InSpan, InTransaction, JoinSetExt, session, spawn, spawn_blocking, spawn_local,
};
pub use opbeat_core::{
    Agent, Config, CurrentTransaction, Level, Span, Transaction, User, capture_error, capture_message, current, export,
    in_span, record, span,
};
pub use websocket::websocket;

/// The types that the middleware makes.
pub mod service {
    pub use crate::body::OpbeatBody;
    pub use crate::future::ResponseFuture;
    pub use crate::middleware::OpbeatMiddleware;
}

/// The code blocks of the README, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The code blocks of the guide to actix-web, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/actix.md")]
struct ActixGuide;
