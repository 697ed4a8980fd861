//! What every adapter does, as one table that runs against each of them.
//!
//! An adapter's test serves an application with these routes on a port, monitored by the adapter, and calls
//! [`check`]. The table's requests go over a real connection, so that the framework's own server is part of what is
//! tested.
//!
//! | route | its handler |
//! |---|---|
//! | `GET /books/{id}` | answers 200 with the id as text |
//! | `HEAD /books/{id}` | answers 200 without a body |
//! | `DELETE /books/{id}` | answers 204 |
//! | `POST /books` | answers 422 with the text `no title` |
//! | `GET /streamed` | answers 200 with the chunks `one`, `two`, `three` and no length |
//! | `GET /empty` | answers 200 without a body |
//! | `GET /cached` | answers 304 |
//! | `GET /failing` | answers 503 with the text `closed` |
//! | `GET /error` | fails in the framework's own way, answered by 500 |
//! | `GET /panicking` | panics with `no books` |
//! | `GET /panicking-body` | answers 200, sends the chunk `one`, and panics with `no pages` in the body |
//! | `GET /endless` | answers 200, and sends the chunk `one` again and again, without end |
//! | `GET /waiting` | calls [`wait_forever`] |
//! | `GET /described` | calls [`describe`] and answers 200 with the text `described` |
//! | `GET /shop/cart/{id}` | in a nested router or scope: answers 200 with the id as text |
//!
//! Nothing answers `/nowhere`, and `GET /books` is not routed.

mod cases;
mod client;
mod handlers;
mod verdict;

use std::net::SocketAddr;

pub use handlers::{describe, wait_forever};

use super::MemoryExporter;
use crate::Agent;

/// An application that is monitored by the adapter under test.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// The agent that the adapter records through.
    pub agent: &'a Agent,
    /// Where the agent delivers to.
    pub exporter: &'a MemoryExporter,
    /// The kind that the adapter gives its transactions.
    pub kind: &'static str,
    /// Cases that the framework makes impossible, by their name, each with the reason.
    pub exempt: &'a [(&'static str, &'static str)],
}

/// Runs the whole table against an application.
///
/// # Panics
///
/// Panics if any case differs from the table, with a list of all that do.
pub fn check(subject: &Subject<'_>) {
    let is_exempt = |name: &str| subject.exempt.iter().any(|(exempt, _)| *exempt == name);
    let cases = cases::CASES.iter().filter(|case| !is_exempt(case.name));
    let failures: Vec<String> = cases.filter_map(|case| verdict::judge(subject, case).err()).collect();
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}
