//! Opbeat for any tower HTTP service: a layer that records every request from its arrival to the last byte of its
//! response.
//!
//! # Examples
//!
//! ```
//! use opbeat_tower::{Agent, OpbeatLayer, RequestHead, http::route};
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
//! A service that is no HTTP server has transactions of its own: see
//! [`Agent::begin_transaction`](opbeat_core::Agent::begin_transaction).

mod body;
mod carrier;
mod failure;
mod future;
mod grpc;
mod layer;
mod request;
mod respond;
mod route_name;
mod service;
mod settings;

pub use body::OpbeatBody;
pub use failure::outcome_of;
pub use future::ResponseFuture;
pub use grpc::GrpcMethodName;
pub use layer::{HttpClassifier, OpbeatLayer};
pub use opbeat_core::config::ConfigError;
#[cfg(any(feature = "log", feature = "tracing"))]
pub use opbeat_core::events;
pub use opbeat_core::export::FlushError;
pub use opbeat_core::http::CapturedError;
pub use opbeat_core::record::{ErrorId, Outcome, TraceParent, TransactionName, TransactionResult};
pub use opbeat_core::task::{JoinSetExt, spawn, spawn_blocking, spawn_local};
pub use opbeat_core::{
    Agent, Config, CurrentTransaction, Level, Transaction, User, capture_error, capture_message, current, http,
    in_span, span,
};
pub use route_name::{NoRouteName, RequestHead, RouteName};
pub use service::OpbeatService;
