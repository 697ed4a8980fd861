//! Finds secrets in text, by their name or by their form, and replaces them with [`REDACTED`].

mod card;
mod classes;
mod commands;
mod contents;
mod cookies;
mod escapes;
mod names;
mod pairs;
mod rules;
mod scrub;
mod tokens;

pub use names::is_secret_name;
pub use rules::{REDACTED, Secrets};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
