//! Tests of the public API.

mod cookies;
mod planted;
mod scrub;
