//! Requests that fail, end early, or set user, tags and spans.

use super::case::{Case, ClientAction, Errors, HttpVersions, PLAIN};
use opbeat_core::record::Outcome;

/// Requests that fail, end early, or set user, tags and spans.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "503 without an error",
        request: "GET /failing",
        response: Some((503, "closed")),
        transaction: Some("GET /failing"),
        result: "503",
        outcome: Outcome::ServerError,
        description: "plan=gold",
        errors: Errors::Of("HTTP 503", "the application responded with 503 and reported no error"),
        ..PLAIN
    },
    Case {
        name: "framework error",
        request: "GET /error",
        response: Some((500, "")),
        transaction: Some("GET /error"),
        result: "500",
        outcome: Outcome::ServerError,
        errors: Errors::One,
        ..PLAIN
    },
    Case {
        name: "handler error with a cause",
        request: "GET /chain",
        response: Some((500, "")),
        transaction: Some("GET /chain"),
        result: "500",
        outcome: Outcome::ServerError,
        errors: Errors::Chain("CartError", "there is no cart", "the shelf is broken"),
        ..PLAIN
    },
    Case {
        name: "captured and returned",
        request: "GET /captured",
        response: Some((500, "")),
        transaction: Some("GET /captured"),
        result: "500",
        outcome: Outcome::ServerError,
        errors: Errors::Chain("CartError", "there is no cart", "the shelf is broken"),
        ..PLAIN
    },
    Case {
        name: "timeout inside the layer",
        request: "GET /timeout",
        response: Some((504, "")),
        transaction: Some("GET /timeout"),
        result: "504",
        outcome: Outcome::TimedOut,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "load shedding inside the layer",
        request: "GET /shed",
        response: Some((503, "")),
        transaction: Some("GET /shed"),
        result: "shed",
        outcome: Outcome::Shed,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "timeout outside the layer",
        request: "GET /late",
        response: Some((504, "")),
        transaction: Some("GET /late"),
        result: "timed_out",
        outcome: Outcome::TimedOut,
        description: "plan=gold",
        ..PLAIN
    },
    Case { name: "load shedding outside the layer", request: "GET /full", response: Some((503, "")), ..PLAIN },
    Case {
        name: "body shorter than its Content-Length",
        request: "GET /short-body",
        transaction: Some("GET /short-body"),
        result: "server_error",
        outcome: Outcome::ServerError,
        errors: Errors::Of(
            "IncompleteBody",
            "the response body ended after 3 of the 10 bytes that its Content-Length declares",
        ),
        ..PLAIN
    },
    Case {
        name: "error in the response body",
        request: "GET /broken-body",
        transaction: Some("GET /broken-body"),
        result: "server_error",
        outcome: Outcome::ServerError,
        errors: Errors::One,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "panic",
        request: "GET /panicking",
        transaction: Some("GET /panicking"),
        result: "panicked",
        outcome: Outcome::Panicked,
        errors: Errors::Of("panic", "no books"),
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "panic in the service call",
        request: "GET /panicking-call",
        transaction: Some("GET /panicking-call"),
        result: "panicked",
        outcome: Outcome::Panicked,
        errors: Errors::Of("panic", "no shelf"),
        ..PLAIN
    },
    Case {
        name: "panic in the response body",
        request: "GET /panicking-body",
        transaction: Some("GET /panicking-body"),
        result: "panicked",
        outcome: Outcome::Panicked,
        errors: Errors::Of("panic", "no pages"),
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "disconnect before the response head",
        request: "GET /waiting",
        client: ClientAction::Disconnect,
        transaction: Some("GET /waiting"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "plan=gold, left=early",
        ..PLAIN
    },
    Case {
        name: "reset before the response head",
        request: "GET /waiting",
        client: ClientAction::Reset,
        versions: HttpVersions::Http1,
        transaction: Some("GET /waiting"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "plan=gold, left=early",
        ..PLAIN
    },
    Case {
        name: "disconnect in the response body",
        request: "GET /endless",
        client: ClientAction::DisconnectInBody,
        transaction: Some("GET /endless"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "plan=gold, left=early",
        ..PLAIN
    },
    Case {
        name: "disconnect in a single large frame",
        request: "GET /large",
        client: ClientAction::DisconnectInBody,
        transaction: Some("GET /large"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        ..PLAIN
    },
    Case {
        name: "user, tags and spans",
        request: "GET /described",
        response: Some((200, "described")),
        transaction: Some("GET /described"),
        description: "user 7, plan=gold, render > SELECT FROM books",
        ..PLAIN
    },
    Case {
        name: "span in a spawned task",
        request: "GET /spawned",
        response: Some((200, "spawned")),
        transaction: Some("GET /spawned"),
        description: "count shelves",
        ..PLAIN
    },
    Case {
        name: "trace context",
        request: "GET /books/2",
        headers: &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        response: Some((200, "2")),
        transaction: Some("GET /books/{id}"),
        trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ..PLAIN
    },
    Case {
        name: "client address",
        request: "GET /books/3",
        response: Some((200, "3")),
        transaction: Some("GET /books/{id}"),
        has_client_address: true,
        ..PLAIN
    },
];
