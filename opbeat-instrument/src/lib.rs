//! Spans of databases, HTTP clients, brokers and job runners, without changes to handlers.

pub mod sql;

/// The code of the readme, which the compiler checks.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
