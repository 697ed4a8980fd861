//! The table.

mod ends;
mod names;
mod responses;

use opbeat_core::record::Outcome;

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
    /// The versions of HTTP that it is sent by.
    pub by: By,
    /// What the client gets; `None` where the connection ends before a whole response.
    pub answer: Option<(u16, &'static str)>,
    /// Lines that the response's head or its trailers have, names in lower case.
    pub head: &'static [(&'static str, &'static str)],
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
    /// The trace that the request is part of.
    pub trace: Option<&'static str>,
    /// Whether the client's address has to be told.
    pub tells_client: bool,
}

/// The versions of HTTP that a case is sent by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// HTTP/1.1 and HTTP/2.
    Both,
    /// HTTP/1.1 alone.
    Http1,
    /// HTTP/2 alone.
    Http2,
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
    /// Resets the connection when the handler runs.
    Reset,
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
pub(super) const PLAIN: Case = Case {
    name: "",
    request: "",
    headers: &[],
    body: "",
    read: Read::All,
    by: By::Both,
    answer: None,
    head: &[],
    transaction: None,
    result: "200",
    outcome: Outcome::Ok,
    errors: Errors::None,
    description: "",
    trace: None,
    tells_client: false,
};

/// Returns the whole table.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    [responses::CASES, names::CASES, ends::CASES].into_iter().flatten()
}
