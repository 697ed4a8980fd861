//! Spans of the crate [`opentelemetry`](https://docs.rs/opentelemetry), as spans of the current transaction.
//!
//! A library that is instrumented for OpenTelemetry starts its spans with the global tracer provider. [`TracerProvider`]
//! records them in the transaction that the code runs in. No SDK of OpenTelemetry is needed.
//!
//! # Examples
//!
//! ```
//! opentelemetry::global::set_tracer_provider(opbeat_instrument::opentelemetry::TracerProvider::new());
//! ```
//!
//! Applications that use `tracing-opentelemetry` give its layer a [`Tracer`]:
//!
//! ```
//! use opentelemetry::trace::TracerProvider as _;
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! let provider = opbeat_instrument::opentelemetry::TracerProvider::new();
//! let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
//! let subscriber = tracing_subscriber::registry().with(layer);
//! ```
//!
//! # Recorded spans
//!
//! The kind and the signature of a span follow from its attributes, by the present and the former names of the
//! [semantic conventions][names]:
//!
//! | attribute | kind | signature |
//! |---|---|---|
//! | `db.system.name` | `db.<system>.query` | `SELECT FROM books` from the SQL, or the operation with the collection |
//! | `http.request.method` of a client | `ext.http.otel` | `GET prices.example` |
//! | `rpc.system.name` of a client | `ext.grpc.otel`, `ext.aws`, `ext.rpc.otel` | service and method |
//! | `messaging.system` | `messaging.<system>.publish`, `….consume` | `publish orders` |
//! | none of these | `otel.<instrumentation scope>` | the span's name |
//!
//! - The first four are leaves: spans in them are not recorded.
//! - Extra values are `sql`, `url`, `method`, `status`, `rows`, `attempt`, `peer` and `error`. Literals are removed from
//!   SQL, and user names, passwords and queries from URLs. Other attributes may contain secrets and are not kept, except
//!   those of [`TracerProvider::keep_attribute`].
//! - An `exception` event and the status `Error` become the extra value `error`: the type of the error if it is known, or
//!   else its text. They do not report an error, because libraries handle many of their exceptions. An exception of a
//!   span that has begun a transaction is reported. Other events and all links are ignored.
//! - A span that is dropped ends. A span outside of all transactions, or after the end of its transaction, is counted in
//!   `Diagnosis::spans_without_transaction`.
//!
//! # The parent of a span
//!
//! The parent is the span in the OpenTelemetry context, if that is one of ours, or else the current position in our
//! transaction. While a context with such a span is attached to a thread, the span is also the current one for
//! [`opbeat_core::span`] and for other instrumentation. [`context`] makes our position the parent in other contexts: for
//! another thread, or for a propagator.
//!
//! A span context has the ids that our `traceparent` header has, so that propagators continue our trace.
//!
//! [names]: https://opentelemetry.io/docs/specs/semconv/

mod attached;
mod context;
mod description;
mod facts;
mod live;
mod parent;
mod provider;
mod settings;
mod span;
mod transaction;

pub use context::context;
pub use provider::{Tracer, TracerProvider};
pub use span::Span;
