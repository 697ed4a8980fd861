//! A layer for HTTP clients that are tower services, such as hyper-util's client and tonic's channels.
//!
//! Each request of a transaction becomes a span from the call to the end of the response body. The span is named after
//! the method and the host, such as `GET prices.example`, and the request has a `traceparent` header, so that the
//! called service continues the trace. Requests outside of a transaction pass unchanged.
//!
//! # Examples
//!
//! ```
//! use opbeat_instrument::client::ClientLayer;
//! use tower::ServiceBuilder;
//!
//! # type Body = String;
//! # fn with<C: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error: std::fmt::Display + 'static>>(client: C) {
//! let client = ServiceBuilder::new().layer(ClientLayer::new("hyper")).service(client);
//! # }
//! ```
//!
//! # Retries
//!
//! Add the layer outside of a layer that retries, and once more inside. The request is then one span, whose extra value
//! `retries` is the number of attempts after the first.
//!
//! ```
//! # use opbeat_instrument::client::ClientLayer;
//! # use tower::ServiceBuilder;
//! # fn with<P: Clone>(policy: P) {
//! let builder = ServiceBuilder::new()
//!     .layer(ClientLayer::new("hyper"))
//!     .retry(policy)
//!     .layer(ClientLayer::new("hyper"));
//! # }
//! ```
//!
//! A layer that calls its service in another task, such as `buffer`, belongs inside of the outer layer.
//!
//! # Recorded values
//!
//! | extra | value |
//! |---|---|
//! | `method` | the method |
//! | `url` | scheme, host, port and path, without user info, query and fragment, at most 512 bytes of the path |
//! | `status` | the status of the response; for gRPC, the number of its status |
//! | `error` | `HTTP 404` and the like for a status of 400 or more; the messages of an error and its sources, at most 256 bytes; `cancelled` if the call was dropped before its response; for gRPC, the name of a status other than `Ok` |
//! | `retries` | the number of attempts after the first |

mod body;
mod errors;
mod future;
mod grpc;
mod layer;
mod protocol;
mod request;
mod service;
mod settings;

pub use body::ClientBody;
#[cfg(feature = "reqwest")]
pub(crate) use errors::error_text;
pub use future::ClientFuture;
pub use layer::ClientLayer;
#[cfg(feature = "reqwest")]
pub(crate) use request::add_headers;
pub use service::ClientService;
