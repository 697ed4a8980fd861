//! Finds secrets in text, by their name or by their form, and replaces them with [`REDACTED`].

mod card;
mod cookies;
mod names;
mod pairs;
mod rules;
mod scrub;
mod token;

pub use names::is_secret_name;
pub use rules::{REDACTED, Secrets};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
