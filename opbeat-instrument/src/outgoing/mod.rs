//! A call to another service as a span, for all clients: its signature, its headers and its failure.

#[cfg(feature = "tower")]
mod attempts;
mod call;
#[cfg(any(feature = "awc", feature = "tower", feature = "ureq"))]
mod destination;
mod error_text;
mod propagation;

#[cfg(feature = "tower")]
pub(crate) use attempts::Attempts;
pub(crate) use call::{Call, Description};
#[cfg(any(feature = "awc", feature = "tower", feature = "ureq"))]
pub(crate) use destination::Destination;
pub(crate) use error_text::chain_text;
#[cfg(feature = "tower")]
pub(crate) use error_text::display_text;
