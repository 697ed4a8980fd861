//! Responses that are sent completely.

use super::case::{Case, ClientAction, HttpVersions, PLAIN};
use opbeat_core::record::Outcome;

/// Responses that are sent completely.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "plain",
        request: "GET /books/1?page=2",
        response: Some((200, "1")),
        response_headers: &[("content-length", "1")],
        transaction: Some("GET /books/{id}"),
        ..PLAIN
    },
    Case {
        name: "streamed",
        request: "GET /streamed",
        response: Some((200, "onetwothree")),
        transaction: Some("GET /streamed"),
        ..PLAIN
    },
    Case {
        name: "sized stream",
        request: "GET /sized",
        response: Some((200, "onetwo")),
        response_headers: &[("content-length", "6")],
        transaction: Some("GET /sized"),
        ..PLAIN
    },
    Case {
        name: "slow stream",
        request: "GET /gated",
        client: ClientAction::ReadSlowly,
        response: Some((200, "onetwo")),
        transaction: Some("GET /gated"),
        ..PLAIN
    },
    Case {
        name: "server-sent events",
        request: "GET /events",
        headers: &["Accept: text/event-stream"],
        response: Some((200, "data: one\n\ndata: two\n\n")),
        transaction: Some("GET /events"),
        ..PLAIN
    },
    Case {
        name: "trailers",
        request: "GET /trailers",
        headers: &["TE: trailers"],
        response: Some((200, "one")),
        response_headers: &[("x-checksum", "1")],
        transaction: Some("GET /trailers"),
        ..PLAIN
    },
    Case {
        name: "empty body",
        request: "GET /empty",
        response: Some((200, "")),
        transaction: Some("GET /empty"),
        ..PLAIN
    },
    Case {
        name: "HEAD request",
        request: "HEAD /books/1",
        response: Some((200, "")),
        transaction: Some("HEAD /books/{id}"),
        ..PLAIN
    },
    Case {
        name: "no content",
        request: "DELETE /books/1",
        response: Some((204, "")),
        transaction: Some("DELETE /books/{id}"),
        result: "204",
        ..PLAIN
    },
    Case {
        name: "not modified",
        request: "GET /cached",
        response: Some((304, "")),
        transaction: Some("GET /cached"),
        result: "304",
        ..PLAIN
    },
    Case {
        name: "100-continue",
        request: "POST /echo",
        headers: &["Expect: 100-continue"],
        body: "Emma",
        versions: HttpVersions::Http1,
        response: Some((200, "Emma")),
        transaction: Some("POST /echo"),
        ..PLAIN
    },
    Case {
        name: "upgrade",
        request: "GET /upgrade",
        headers: &["Upgrade: chess"],
        client: ClientAction::ReadHead,
        versions: HttpVersions::Http1,
        response: Some((101, "")),
        response_headers: &[("upgrade", "chess")],
        transaction: Some("GET /upgrade"),
        result: "101",
        outcome: Outcome::Upgraded,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "extended CONNECT",
        request: "CONNECT /tunnel",
        client: ClientAction::ReadHead,
        versions: HttpVersions::Http2,
        response: Some((200, "")),
        transaction: Some("CONNECT /tunnel"),
        result: "upgraded",
        outcome: Outcome::Upgraded,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "client error",
        request: "POST /books",
        response: Some((422, "no title")),
        transaction: Some("POST /books"),
        result: "422",
        outcome: Outcome::ClientError,
        description: "plan=gold",
        ..PLAIN
    },
];
