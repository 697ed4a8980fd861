//! The behaviour that all adapters have in common, as a table of requests and expected records.
//!
//! To test an adapter, serve an application with the routes below on a local port, monitor it with the adapter, and
//! call [`check`]. If the server supports HTTP/2 without TLS, call [`check_http2`] too, which sends the same requests
//! over HTTP/2. The requests use a real connection, so that the test includes the framework's own server.
//!
//! ```
//! use std::net::SocketAddr;
//! use opbeat_core::Agent;
//! use opbeat_testing::behaviour::{Subject, check, monitored};
//!
//! /// Tests an adapter. `serve` starts the routes below on a free local port, monitored by the adapter.
//! fn test_adapter(serve: fn(&Agent) -> SocketAddr) {
//!     let (agent, exporter) = monitored();
//!     let address = serve(&agent);
//!     check(&Subject { address, agent: &agent, exporter: &exporter, kind: "web.example", exempt: &[] });
//! }
//! ```
//!
//! To test an adapter of a job runner, implement [`Runner`] and call [`check_jobs`].
//!
//! # Routes
//!
//! | route | handler |
//! |---|---|
//! | `GET /books/{id}` | responds with 200 and the id as text |
//! | `HEAD /books/{id}` | responds with 200 without a body |
//! | `DELETE /books/{id}` | responds with 204 |
//! | `POST /books` | calls [`tag`], and responds with 422 and the text `no title` |
//! | `POST /echo` | responds with 200 and the request's body |
//! | `GET /streamed` | responds with 200 and the chunks `one`, `two`, `three` and no length |
//! | `GET /sized` | responds with 200, `Content-Length: 6`, and the chunks `one` and `two` of a body of unknown length |
//! | `GET /gated` | responds with 200, sends the chunk `one`, calls [`wait_for_reader`], and sends the chunk `two` |
//! | `GET /events` | responds with 200, `text/event-stream`, and the chunks `data: one` and `data: two`, each followed by an empty line |
//! | `GET /trailers` | responds with 200, the chunk `one`, and the trailer `x-checksum: 1` |
//! | `GET /empty` | responds with 200 without a body |
//! | `GET /cached` | responds with 304 |
//! | `GET /upgrade` | calls [`tag`], and responds with 101 for the protocol `chess` |
//! | `CONNECT /tunnel` | calls [`tag`], and responds with 200: only over HTTP/2, for the protocol `chess` of RFC 8441 |
//! | `GET /failing` | calls [`tag`], and responds with 503 and the text `closed` |
//! | `GET /error` | fails with an error of the framework, which responds with 500 |
//! | `GET /chain` | fails with a [`CartError`], which becomes a 500 |
//! | `GET /captured` | captures a [`CartError`], and also fails with it |
//! | `GET /timeout` | calls [`tag`] and never returns; a timeout inside the adapter responds with 504 |
//! | `GET /shed` | load shedding inside the adapter rejects it with 503; middleware in front of that calls [`tag`] |
//! | `GET /late` | calls [`tag`] and never returns; a timeout outside the adapter responds with 504 |
//! | `GET /full` | load shedding outside the adapter rejects it with 503 |
//! | `GET /short-body` | responds with 200, `Content-Length: 10`, and the chunk `one` of a body of unknown length |
//! | `GET /large` | responds with 200 and the bytes of [`large_body`] in a single frame |
//! | `GET /broken-body` | calls [`tag`], responds with 200 and the chunk `one`, and fails with an error in the body |
//! | `GET /panicking` | calls [`tag`], and panics with `no books` |
//! | `GET /panicking-call` | panics with `no shelf` when the framework calls it, before a future exists |
//! | `GET /panicking-body` | calls [`tag`], responds with 200 and the chunk `one`, and panics in the body with `no pages` |
//! | `GET /endless` | calls [`tag`], responds with 200 and endless chunks `one`; the body owns the guard of [`tag_on_drop`] |
//! | `GET /waiting` | calls [`wait_forever`] |
//! | `GET /described` | calls [`describe`] and responds with 200 and the text `described` |
//! | `GET /spawned` | calls [`count_shelves`] in a spawned task, waits for it, and responds with 200 and `spawned` |
//! | `GET /turns/{id}` | calls [`interleave`] with the id, and responds with 200 and the id as text |
//! | `GET /shop/cart/{id}` | in a nested router or scope: responds with 200 and the id as text |
//! | `GET /old/…` | the fallback of a nested router or scope: responds with 410 and the text `gone` |
//! | `GET /files/…` | an opaque service that is nested at this prefix: responds with 200 and the text `a file` |
//! | `GET /twice` | is monitored by a second layer inside the first one, and responds with 200 and the text `twice` |
//! | `GET /relayed` | is monitored by a second layer inside the first one; a middleware between the layers calls the second one on another task; the handler calls [`tag`], and responds with 200 and the text `relayed` |
//! | `GET /renamed` | calls [`rename`] and responds with 200 and the text `renamed` |
//! | `GET /healthz` | responds with 200 and the text `fine` |
//!
//! `/nowhere` and `/shop/nowhere` have no route. Other methods are rejected with 405.

mod cases;
mod client;
mod compare;
mod concurrent;
mod handlers;
mod jobs;
mod run;
mod subject;

pub use cases::{Case, ClientAction, Errors, HttpVersions, cases};
pub use client::Exchange;
pub use handlers::{
    CartError, count_shelves, describe, interleave, large_body, rename, tag, tag_on_drop, wait_for_reader, wait_forever,
};
pub use jobs::{Runner, TRACE_PARENT, check_jobs};
pub use run::{check, check_http2, check_only};
pub use subject::{Subject, monitored};
