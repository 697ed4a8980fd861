//! Spans for authors of instrumentation: hooks of libraries that cannot wrap the code that they measure.
//!
//! Most instrumentation starts a [`span`](crate::span()) or wraps a future with [`in_span`](crate::in_span). A library
//! that reports its work only at its end uses a [`FinishedSpan`], and a library whose hooks run on another thread keeps
//! a [`Position`].

pub use crate::transaction::{Carried, Carrier, Entered, FinishedSpan, LivePosition, Position, set_carrier};
