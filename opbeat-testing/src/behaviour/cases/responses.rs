//! Responses that end as they should.

use super::{By, Case, PLAIN, Read};
use opbeat_core::record::Outcome;

/// Responses that end as they should.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "plain",
        request: "GET /books/1?page=2",
        answer: Some((200, "1")),
        head: &[("content-length", "1")],
        transaction: Some("GET /books/{id}"),
        ..PLAIN
    },
    Case {
        name: "streamed",
        request: "GET /streamed",
        answer: Some((200, "onetwothree")),
        transaction: Some("GET /streamed"),
        ..PLAIN
    },
    Case {
        name: "sized stream",
        request: "GET /sized",
        answer: Some((200, "onetwo")),
        head: &[("content-length", "6")],
        transaction: Some("GET /sized"),
        ..PLAIN
    },
    Case {
        name: "streamed slowly",
        request: "GET /gated",
        read: Read::Slowly,
        answer: Some((200, "onetwo")),
        transaction: Some("GET /gated"),
        ..PLAIN
    },
    Case {
        name: "server-sent events",
        request: "GET /events",
        headers: &["Accept: text/event-stream"],
        answer: Some((200, "data: one\n\ndata: two\n\n")),
        transaction: Some("GET /events"),
        ..PLAIN
    },
    Case {
        name: "trailers",
        request: "GET /trailers",
        headers: &["TE: trailers"],
        answer: Some((200, "one")),
        head: &[("x-checksum", "1")],
        transaction: Some("GET /trailers"),
        ..PLAIN
    },
    Case { name: "empty", request: "GET /empty", answer: Some((200, "")), transaction: Some("GET /empty"), ..PLAIN },
    Case {
        name: "head only",
        request: "HEAD /books/1",
        answer: Some((200, "")),
        transaction: Some("HEAD /books/{id}"),
        ..PLAIN
    },
    Case {
        name: "no content",
        request: "DELETE /books/1",
        answer: Some((204, "")),
        transaction: Some("DELETE /books/{id}"),
        result: "204",
        ..PLAIN
    },
    Case {
        name: "not modified",
        request: "GET /cached",
        answer: Some((304, "")),
        transaction: Some("GET /cached"),
        result: "304",
        ..PLAIN
    },
    Case {
        name: "continue",
        request: "POST /echo",
        headers: &["Expect: 100-continue"],
        body: "Emma",
        by: By::Http1,
        answer: Some((200, "Emma")),
        transaction: Some("POST /echo"),
        ..PLAIN
    },
    Case {
        name: "upgrade",
        request: "GET /upgrade",
        headers: &["Upgrade: chess"],
        read: Read::Head,
        by: By::Http1,
        answer: Some((101, "")),
        head: &[("upgrade", "chess")],
        transaction: Some("GET /upgrade"),
        result: "101",
        outcome: Outcome::Upgraded,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "upgrade of a stream",
        request: "CONNECT /tunnel",
        read: Read::Head,
        by: By::Http2,
        answer: Some((200, "")),
        transaction: Some("CONNECT /tunnel"),
        result: "upgraded",
        outcome: Outcome::Upgraded,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "client error",
        request: "POST /books",
        answer: Some((422, "no title")),
        transaction: Some("POST /books"),
        result: "422",
        outcome: Outcome::ClientError,
        description: "plan=gold",
        ..PLAIN
    },
];
