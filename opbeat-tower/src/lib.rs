//! Opbeat for any tower HTTP service: a layer that records every request, from its arrival to the end of the response
//! body.
//!
//! # Examples
//!
//! ```
//! use opbeat_tower::{Agent, OpbeatLayer, RequestHead, route};
//! use tower::ServiceBuilder;
//!
//! # type Body = http_body_util::Full<bytes::Bytes>;
//! # async fn handle(_: http::Request<Body>) -> Result<http::Response<Body>, std::convert::Infallible> {
//! #     Ok(http::Response::default())
//! # }
//! # fn main() {
//! let agent = Agent::from_env();
//! let service = ServiceBuilder::new()
//!     .layer(OpbeatLayer::new(&agent).route_name(|head: &RequestHead<'_>| {
//!         Some(route(head.method.as_str(), if head.uri.path() == "/" { "/" } else { "/{page}" }))
//!     }))
//!     .service_fn(handle);
//! # let _ = service;
//! # }
//! ```
//!
//! A service that does not serve HTTP begins its own transactions with [`Agent::begin_transaction`].
//!
//! # Modules
//!
//! The root has the layer, and the types and functions of `opbeat-core` that applications use. The types that the layer
//! makes are in [`body`], [`future`] and [`service`]. Applications that write their own exporter, for
//! [`Agent::with_exporter`], also need [`export`] and [`record`].

pub mod body;
mod extension;
pub mod failure;
pub mod future;
mod grpc;
mod layer;
mod nesting;
mod request;
mod respond;
mod route_name;
pub mod service;
mod settings;

pub use grpc::GrpcMethodName;
pub use layer::{HttpClassifier, OpbeatLayer};
pub use opbeat_core::config::ConfigError;
#[cfg(any(feature = "log", feature = "tracing"))]
pub use opbeat_core::events;
pub use opbeat_core::export::{Build, Contact, Diagnosis, FlushError};
pub use opbeat_core::http::{CapturedError, route};
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
pub use request::RequestHead;
pub use route_name::{NoRouteName, RouteName};

/// The code blocks of the README, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
