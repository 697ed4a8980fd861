//! Requests that fail, end early, or tell more of themselves.

use super::{By, Case, Errors, PLAIN, Read};
use opbeat_core::record::Outcome;

/// Requests that fail, end early, or tell more of themselves.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "server error without an error",
        request: "GET /failing",
        answer: Some((503, "closed")),
        transaction: Some("GET /failing"),
        result: "503",
        outcome: Outcome::ServerError,
        description: "plan=gold",
        errors: Errors::Of("HTTP 503", "the application responded with 503 and reported no error"),
        ..PLAIN
    },
    Case {
        name: "handler error",
        request: "GET /error",
        answer: Some((500, "")),
        transaction: Some("GET /error"),
        result: "500",
        outcome: Outcome::ServerError,
        errors: Errors::One,
        ..PLAIN
    },
    Case {
        name: "handler error with a cause",
        request: "GET /chain",
        answer: Some((500, "")),
        transaction: Some("GET /chain"),
        result: "500",
        outcome: Outcome::ServerError,
        errors: Errors::Chain("CartError", "there is no cart", "the shelf is broken"),
        ..PLAIN
    },
    Case {
        name: "captured and returned",
        request: "GET /captured",
        answer: Some((500, "")),
        transaction: Some("GET /captured"),
        result: "500",
        outcome: Outcome::ServerError,
        errors: Errors::Chain("CartError", "there is no cart", "the shelf is broken"),
        ..PLAIN
    },
    Case {
        name: "timed out inside",
        request: "GET /timeout",
        answer: Some((504, "")),
        transaction: Some("GET /timeout"),
        result: "504",
        outcome: Outcome::TimedOut,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "shed inside",
        request: "GET /shed",
        answer: Some((503, "")),
        transaction: Some("GET /shed"),
        result: "shed",
        outcome: Outcome::Shed,
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "timed out outside",
        request: "GET /late",
        answer: Some((504, "")),
        transaction: Some("GET /late"),
        result: "timed_out",
        outcome: Outcome::TimedOut,
        description: "plan=gold",
        ..PLAIN
    },
    Case { name: "shed outside", request: "GET /full", answer: Some((503, "")), ..PLAIN },
    Case {
        name: "error in the body",
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
        name: "panic in the call",
        request: "GET /panicking-call",
        transaction: Some("GET /panicking-call"),
        result: "panicked",
        outcome: Outcome::Panicked,
        errors: Errors::Of("panic", "no shelf"),
        ..PLAIN
    },
    Case {
        name: "panic in the body",
        request: "GET /panicking-body",
        transaction: Some("GET /panicking-body"),
        result: "panicked",
        outcome: Outcome::Panicked,
        errors: Errors::Of("panic", "no pages"),
        description: "plan=gold",
        ..PLAIN
    },
    Case {
        name: "client gone before the head",
        request: "GET /waiting",
        read: Read::Nothing,
        transaction: Some("GET /waiting"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "plan=gold, left=early",
        ..PLAIN
    },
    Case {
        name: "connection reset before the head",
        request: "GET /waiting",
        read: Read::Reset,
        by: By::Http1,
        transaction: Some("GET /waiting"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "plan=gold, left=early",
        ..PLAIN
    },
    Case {
        name: "client gone in the body",
        request: "GET /endless",
        read: Read::FirstChunk,
        transaction: Some("GET /endless"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "plan=gold, left=early",
        ..PLAIN
    },
    Case {
        name: "described by its handler",
        request: "GET /described",
        answer: Some((200, "described")),
        transaction: Some("GET /described"),
        description: "user 7, plan=gold, render > SELECT FROM books",
        ..PLAIN
    },
    Case {
        name: "a task of its own",
        request: "GET /spawned",
        answer: Some((200, "spawned")),
        transaction: Some("GET /spawned"),
        description: "count shelves",
        ..PLAIN
    },
    Case {
        name: "part of a trace",
        request: "GET /books/2",
        headers: &["traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        answer: Some((200, "2")),
        transaction: Some("GET /books/{id}"),
        trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ..PLAIN
    },
    Case {
        name: "client address",
        request: "GET /books/3",
        answer: Some((200, "3")),
        transaction: Some("GET /books/{id}"),
        tells_client: true,
        ..PLAIN
    },
];
