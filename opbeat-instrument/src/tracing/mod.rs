//! A bridge from the crate [`tracing`](https://docs.rs/tracing): spans and events of libraries become spans of
//! transactions.
//!
//! ```text
//! filter ─► layer ─┬─► values ─► described ─► transaction
//!   │              └─► entered: the current position of a thread
//!   └─ table: rows of the libraries, and of the application
//! carrier: a span of `tracing` for each task with a transaction
//! ```
//!
//! Add [`layer`] to the application's subscriber. A table names the spans and events that are shown: those of sqlx,
//! sea-orm, mysql_async, fred, clickhouse, scylla, the AWS SDK, reqwest-tracing and async-graphql. Add rows for other
//! libraries with [`SpanBridge::with_row`]. Everything else stays disabled, so it costs as little as without the bridge.
//! Levels do not matter, and filters of other layers are not affected.
//!
//! Events of the level `ERROR` are reported as errors, as [`ErrorEvents`](opbeat_core::events::tracing::ErrorEvents)
//! does. If the subscriber has that layer too, each is reported once.
//!
//! # Global filters
//!
//! A filter that is added to the subscriber itself hides spans and events from all layers. The bridge then logs which
//! directives to add. A filter of one layer, as in this example, hides nothing:
//!
//! ```
//! use tracing_subscriber::filter::LevelFilter;
//! use tracing_subscriber::layer::{Layer, SubscriberExt};
//!
//! let subscriber = tracing_subscriber::registry()
//!     .with(tracing_subscriber::fmt::layer().with_filter(LevelFilter::INFO))
//!     .with(opbeat_instrument::tracing::layer());
//! ```

mod bridge;
mod carrier;
mod described;
mod entered;
mod filter;
mod graphql;
mod layer;
mod prepared;
mod probe;
mod sqlx;
mod table;
mod values;

pub use bridge::{SpanBridge, layer};
pub use entered::ignored_spans;
pub use filter::BridgeFilter;
pub use layer::BridgeLayer;
pub use table::Row;
