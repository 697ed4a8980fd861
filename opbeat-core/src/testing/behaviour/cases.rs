//! The table.

use crate::record::Outcome;

/// One request, and what has to be recorded of it.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) request: &'static str,
    pub(super) read: Read,
    /// What the client gets; `None` where the connection just ends.
    pub(super) answer: Option<(u16, &'static str)>,
    pub(super) transaction: &'static str,
    pub(super) result: &'static str,
    pub(super) outcome: Outcome,
    pub(super) errors: Errors,
    /// User, tags and spans, as the verdict writes them.
    pub(super) description: &'static str,
}

/// What the client does after its request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// Reads the response to its end.
    All,
    /// Closes the connection after the body's first bytes.
    FirstChunk,
    /// Closes the connection when the handler runs.
    Nothing,
}

/// The errors that have to be reported.
#[derive(Clone, Copy)]
pub(super) enum Errors {
    None,
    /// One, of whatever type the framework has.
    One,
    /// One of this type that says this.
    Of(&'static str, &'static str),
}

/// A plain request, which the cases differ from.
const PLAIN: Case = Case {
    name: "",
    request: "",
    read: Read::All,
    answer: None,
    transaction: "",
    result: "200",
    outcome: Outcome::Ok,
    errors: Errors::None,
    description: "",
};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "plain",
        request: "GET /books/1?page=2",
        answer: Some((200, "1")),
        transaction: "GET /books/{id}",
        ..PLAIN
    },
    Case {
        name: "streamed",
        request: "GET /streamed",
        answer: Some((200, "onetwothree")),
        transaction: "GET /streamed",
        ..PLAIN
    },
    Case { name: "empty", request: "GET /empty", answer: Some((200, "")), transaction: "GET /empty", ..PLAIN },
    Case {
        name: "head only",
        request: "HEAD /books/1",
        answer: Some((200, "")),
        transaction: "HEAD /books/{id}",
        ..PLAIN
    },
    Case {
        name: "no content",
        request: "DELETE /books/1",
        answer: Some((204, "")),
        transaction: "DELETE /books/{id}",
        result: "204",
        ..PLAIN
    },
    Case {
        name: "not modified",
        request: "GET /cached",
        answer: Some((304, "")),
        transaction: "GET /cached",
        result: "304",
        ..PLAIN
    },
    Case {
        name: "client error",
        request: "POST /books",
        answer: Some((422, "no title")),
        transaction: "POST /books",
        result: "422",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "not found",
        request: "GET /nowhere/17",
        answer: Some((404, "")),
        transaction: "GET unmatched",
        result: "404",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "server error without an error",
        request: "GET /failing",
        answer: Some((503, "closed")),
        transaction: "GET /failing",
        result: "503",
        outcome: Outcome::ServerError,
        errors: Errors::Of("HTTP 503", "the application answered 503, and reported no error"),
        ..PLAIN
    },
    Case {
        name: "handler error",
        request: "GET /error",
        answer: Some((500, "")),
        transaction: "GET /error",
        result: "500",
        outcome: Outcome::ServerError,
        errors: Errors::One,
        ..PLAIN
    },
    Case {
        name: "panic",
        request: "GET /panicking",
        transaction: "GET /panicking",
        result: "panicked",
        outcome: Outcome::Panicked,
        errors: Errors::Of("panic", "no books"),
        ..PLAIN
    },
    Case {
        name: "panic in the body",
        request: "GET /panicking-body",
        transaction: "GET /panicking-body",
        outcome: Outcome::Panicked,
        errors: Errors::Of("panic", "no pages"),
        ..PLAIN
    },
    Case {
        name: "client gone before the head",
        request: "GET /waiting",
        read: Read::Nothing,
        transaction: "GET /waiting",
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "left=early",
        ..PLAIN
    },
    Case {
        name: "client gone in the body",
        request: "GET /endless",
        read: Read::FirstChunk,
        transaction: "GET /endless",
        outcome: Outcome::ClientGone,
        ..PLAIN
    },
    Case {
        name: "nested router",
        request: "GET /shop/cart/3",
        answer: Some((200, "3")),
        transaction: "GET /shop/cart/{id}",
        ..PLAIN
    },
    Case {
        name: "described by its handler",
        request: "GET /described",
        answer: Some((200, "described")),
        transaction: "GET /described",
        description: "user 7, plan=gold, render > SELECT FROM books",
        ..PLAIN
    },
];
