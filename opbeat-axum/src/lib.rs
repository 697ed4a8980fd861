//! Opbeat for axum: one layer that names requests after their routes and reports what fails in them.
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
//! Add the layer last, by [`Router::layer`](axum::Router::layer): it then lies around all routes and the other layers,
//! and knows which route matched.

mod error;
mod extract;
mod handle_error;
mod layer;
mod outside;
mod rejection;
mod request_body;
mod route_name;

pub use error::{Error, Result};
pub use extract::Current;
pub use handle_error::handle_error;
pub use layer::OpbeatLayer;
pub use opbeat_core::task::{JoinSetExt, spawn, spawn_blocking, spawn_local};
#[cfg(any(feature = "log", feature = "tracing"))]
pub use opbeat_tower::events;
pub use opbeat_tower::{
    Agent, CapturedError, Config, ConfigError, CurrentTransaction, ErrorId, FlushError, Level, Outcome, TraceParent,
    Transaction, TransactionName, TransactionResult, User, capture_error, capture_message, current, in_span, span,
};
pub use rejection::{Noted, NotedRejection};
pub use request_body::{RequestBodyLayer, RequestBodyService};
pub use route_name::MatchedPathName;
