//! An adapter for poem: a middleware that records every request.
//!
//! ```
//! use adapter_poem::Opbeat;
//! use opbeat_core::Agent;
//! use poem::{EndpointExt, Route, get, handler};
//!
//! #[handler]
//! fn book() -> &'static str {
//!     "Emma"
//! }
//!
//! let opbeat = Opbeat::new(&Agent::from_env());
//! let app = Route::new().at("/books/:id", get(book)).with(opbeat);
//! # let _ = app;
//! ```

mod adapter;
mod monitored;
mod route_name;

pub use adapter::{Opbeat, OpbeatEndpoint};
