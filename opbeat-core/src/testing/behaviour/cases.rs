//! The table.

use crate::record::Outcome;

/// One request, and what has to be recorded of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The case's name.
    pub name: &'static str,
    /// Method and target.
    pub request: &'static str,
    /// Lines of the request's head beside `Host`, `Connection` and `X-Probe`.
    pub headers: &'static [&'static str],
    /// The request's body.
    pub body: &'static str,
    /// What the client does after its request.
    pub read: Read,
    /// What the client gets; `None` where the connection just ends.
    pub answer: Option<(u16, &'static str)>,
    /// The transaction's name; `None` where nothing is to be recorded.
    pub transaction: Option<&'static str>,
    /// The transaction's result.
    pub result: &'static str,
    /// The transaction's outcome.
    pub outcome: Outcome,
    /// The errors.
    pub errors: Errors,
    /// User, tags and spans, as the verdict writes them.
    pub description: &'static str,
}

/// What the client does after its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Read {
    /// Reads the response to its end.
    All,
    /// Reads the response's head only, and closes the connection: another protocol would begin.
    Head,
    /// Lets the body go on after its first bytes, and reads it to its end.
    Slowly,
    /// Closes the connection after the body's first bytes.
    FirstChunk,
    /// Closes the connection when the handler runs.
    Nothing,
}

/// The errors that have to be reported.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Errors {
    /// None.
    None,
    /// One, of whatever type the framework has.
    One,
    /// One of this type that says this.
    Of(&'static str, &'static str),
    /// One of this type that says this and was caused by that, with the line of the source that it comes from.
    Chain(&'static str, &'static str, &'static str),
}

/// A plain request, which the cases differ from.
const PLAIN: Case = Case {
    name: "",
    request: "",
    headers: &[],
    body: "",
    read: Read::All,
    answer: None,
    transaction: None,
    result: "200",
    outcome: Outcome::Ok,
    errors: Errors::None,
    description: "",
};

/// Responses that end as they should.
const RESPONSES: &[Case] = &[
    Case {
        name: "plain",
        request: "GET /books/1?page=2",
        answer: Some((200, "1")),
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
        answer: Some((200, "Emma")),
        transaction: Some("POST /echo"),
        ..PLAIN
    },
    Case {
        name: "upgrade",
        request: "GET /upgrade",
        headers: &["Upgrade: chess"],
        read: Read::Head,
        transaction: Some("GET /upgrade"),
        result: "101",
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
        ..PLAIN
    },
];

/// Names that have few values.
const NAMES: &[Case] = &[
    Case {
        name: "not found",
        request: "GET /nowhere/17",
        answer: Some((404, "")),
        transaction: Some("GET unmatched"),
        result: "404",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "not found in a nested router",
        request: "GET /shop/nowhere/17",
        answer: Some((404, "")),
        transaction: Some("GET unmatched"),
        result: "404",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "method not allowed",
        request: "PUT /books/1",
        answer: Some((405, "")),
        transaction: Some("PUT /books/{id}"),
        result: "405",
        outcome: Outcome::ClientError,
        ..PLAIN
    },
    Case {
        name: "nested router",
        request: "GET /shop/cart/3",
        answer: Some((200, "3")),
        transaction: Some("GET /shop/cart/{id}"),
        ..PLAIN
    },
    Case {
        name: "nested service",
        request: "GET /files/covers/1.svg",
        answer: Some((200, "a file")),
        transaction: Some("GET /files/*"),
        ..PLAIN
    },
    Case {
        name: "nested layer",
        request: "GET /twice",
        answer: Some((200, "twice")),
        transaction: Some("GET /twice"),
        ..PLAIN
    },
    Case {
        name: "renamed by its handler",
        request: "GET /renamed",
        answer: Some((200, "renamed")),
        transaction: Some("shop.renamed"),
        ..PLAIN
    },
    Case { name: "health check", request: "GET /healthz", answer: Some((200, "fine")), ..PLAIN },
];

/// Requests that fail, end early, or tell more of themselves.
const ENDS: &[Case] = &[
    Case {
        name: "server error without an error",
        request: "GET /failing",
        answer: Some((503, "closed")),
        transaction: Some("GET /failing"),
        result: "503",
        outcome: Outcome::ServerError,
        errors: Errors::Of("HTTP 503", "the application answered 503, and reported no error"),
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
        name: "client gone in the body",
        request: "GET /endless",
        read: Read::FirstChunk,
        transaction: Some("GET /endless"),
        result: "client_gone",
        outcome: Outcome::ClientGone,
        description: "plan=gold",
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
];

/// Returns the whole table.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [RESPONSES, NAMES, ENDS].into_iter().flatten()
}
