//! Opbeat for axum: one layer that names requests after their routes and reports their errors.
//!
//! # Examples
//!
//! ```no_run
//! use axum::{Router, extract::Path, routing::get};
//! use opbeat_axum::{Agent, OpbeatLayer, User};
//!
//! async fn book(Path(id): Path<u32>) -> String {
//!     opbeat_axum::current().set_user(User::new(42));
//!     format!("book {id}")
//! }
//!
//! # async fn start() -> std::io::Result<()> {
//! let agent = Agent::from_env();
//! let app: Router = Router::new()
//!     .route("/books/{id}", get(book))
//!     .layer(OpbeatLayer::new(&agent));
//! axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3000").await?, app).await
//! # }
//! ```
//!
//! Add the layer last, with [`Router::layer`](axum::Router::layer). It then wraps all routes and the other layers, and
//! knows which route matched.
//!
//! # Modules
//!
//! The root has the layer, axum's extractors and errors for it, and the types and functions of `opbeat-core` that
//! applications use. The types that the layer makes are in [`body`], [`future`] and [`service`]. Applications that write
//! their own exporter, for [`Agent::with_exporter`], also need [`export`] and [`record`].

mod error;
mod extract;
mod handle_error;
mod layer;
mod placement;
mod rejection;
mod request_body;
mod route_name;
mod websocket;

pub use error::{Error, Result};
pub use extract::{Current, Reported, ReportedRejection};
pub use handle_error::handle_error;
pub use layer::OpbeatLayer;
#[cfg(any(feature = "log", feature = "tracing"))]
pub use opbeat_tower::events;
pub use opbeat_tower::{
    Agent, Build, CapturedError, Config, ConfigError, Contact, CurrentTransaction, Detached, Diagnosis, Drops, Entered,
    ErrorId, FlushError, HttpClassifier, InSpan, InTransaction, JoinSetExt, Level, Outcome, Span, TraceParent,
    Transaction, TransactionId, TransactionName, TransactionResult, User, Value, body, capture_error, capture_message,
    current, export, future, in_span, record, service, session, span, spawn, spawn_blocking, spawn_local,
};
pub use request_body::{RequestBodyLayer, RequestBodyService};
pub use route_name::MatchedPathName;
pub use websocket::websocket;

/// The code blocks of the README, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
