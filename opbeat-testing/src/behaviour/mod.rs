//! What every adapter does, as one table that runs against each of them.
//!
//! An adapter's test serves an application with these routes on a port, monitored by the adapter, and calls
//! [`check`]. Where the server speaks HTTP/2 without TLS, [`check_http2`] sends the same by that. The table's requests go over a real connection, so that the framework's own server is part of what is
//! tested.
//!
//! | route | its handler |
//! |---|---|
//! | `GET /books/{id}` | answers 200 with the id as text |
//! | `HEAD /books/{id}` | answers 200 without a body |
//! | `DELETE /books/{id}` | answers 204 |
//! | `POST /books` | calls [`tag`], and answers 422 with the text `no title` |
//! | `POST /echo` | answers 200 with the request's body |
//! | `GET /streamed` | answers 200 with the chunks `one`, `two`, `three` and no length |
//! | `GET /sized` | answers 200 with `Content-Length: 6` and the chunks `one` and `two`, by a body that does not know its length |
//! | `GET /gated` | answers 200, sends the chunk `one`, calls [`wait_for_reader`], and sends the chunk `two` |
//! | `GET /events` | answers 200 with `text/event-stream`: two chunks, `data: one` and `data: two`, each with an empty line behind it |
//! | `GET /trailers` | answers 200 with the chunk `one` and a trailer |
//! | `GET /empty` | answers 200 without a body |
//! | `GET /cached` | answers 304 |
//! | `GET /upgrade` | calls [`tag`], and answers 101 for the protocol `chess` |
//! | `CONNECT /tunnel` | calls [`tag`], and answers 200: by HTTP/2 only, for the protocol `chess` of RFC 8441 |
//! | `GET /failing` | calls [`tag`], and answers 503 with the text `closed` |
//! | `GET /error` | fails in the framework's own way, answered by 500 |
//! | `GET /chain` | fails with a [`CartError`], answered by 500 |
//! | `GET /captured` | captures a [`CartError`], and fails with it too |
//! | `GET /timeout` | calls [`tag`] and never returns, behind a time limit that is answered by 504 |
//! | `GET /shed` | is never reached, behind a limit of its load that is answered by 503; something before the limit calls [`tag`] |
//! | `GET /late` | calls [`tag`] and never returns, behind a time limit that lies around the adapter and is answered by 504 |
//! | `GET /full` | is never reached, behind a limit of its load that lies around the adapter and is answered by 503 |
//! | `GET /broken-body` | calls [`tag`], answers 200, sends the chunk `one`, and fails with an error in the body |
//! | `GET /panicking` | calls [`tag`], and panics with `no books` |
//! | `GET /panicking-call` | panics with `no shelf` where the framework calls it, before there is a future |
//! | `GET /panicking-body` | calls [`tag`], answers 200, sends the chunk `one`, and panics with `no pages` in the body |
//! | `GET /endless` | calls [`tag`], answers 200, and sends the chunk `one` again and again, without end, by a body that holds what [`leaving`] returns |
//! | `GET /waiting` | calls [`wait_forever`] |
//! | `GET /described` | calls [`describe`] and answers 200 with the text `described` |
//! | `GET /spawned` | calls [`count_shelves`] in a task of its own, waits for it, and answers 200 with `spawned` |
//! | `GET /turns/{id}` | calls [`take_turns`] with the id, and answers 200 with the id as text |
//! | `GET /shop/cart/{id}` | in a nested router or scope: answers 200 with the id as text |
//! | `GET /old/…` | the fallback of a nested router or scope: answers 410 with the text `gone` |
//! | `GET /files/…` | an opaque service that is nested there: answers 200 with the text `a file` |
//! | `GET /twice` | is monitored by a second layer of its own, and answers 200 with the text `twice` |
//! | `GET /renamed` | calls [`rename`] and answers 200 with the text `renamed` |
//! | `GET /healthz` | answers 200 with the text `fine` |
//!
//! Nothing answers `/nowhere` and `/shop/nowhere`; other methods are answered by 405.

mod cases;
mod client;
mod handlers;
mod jobs;
mod run;
mod turns;
mod verdict;

use std::net::SocketAddr;
use std::time::Duration;

pub use cases::{By, Case, Errors, Read, cases};
pub use client::Exchange;
pub use handlers::{
    CartError, count_shelves, describe, leaving, rename, tag, take_turns, wait_for_reader, wait_forever,
};
pub use jobs::{Runner, TRACE_PARENT, check_jobs};
pub use run::{check, check_http2, check_only};

use crate::MemoryExporter;
use opbeat_core::{Agent, Config};

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
    /// Cases that the framework makes impossible, by their name, each with the reason. A case that passes all the same, and
    /// a name that is none, fail the test.
    pub exempt: &'a [(&'static str, &'static str)],
}

/// Makes an agent for a test, and what it delivers to.
///
/// Tests run beside others on machines that are busy, and so nothing counts as blocking there.
pub fn monitored() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    let config = Config::default().blocking_threshold(Duration::from_secs(3_600));
    (Agent::with_exporter(&config, exporter.clone()), exporter)
}
