//! Tests of the public API.

mod cookies;
mod scrub;
