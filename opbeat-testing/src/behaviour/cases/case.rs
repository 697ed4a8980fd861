//! One row of the table.

use opbeat_core::record::Outcome;

/// One request, and the expected record of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Case {
    /// The case's name.
    pub name: &'static str,
    /// The method and the target, such as `GET /books/1`.
    pub request: &'static str,
    /// Further header lines; every request has `Host`, `Connection` and `X-Probe`.
    pub headers: &'static [&'static str],
    /// The request body.
    pub body: &'static str,
    /// The action of the client after it sent the request.
    pub client: ClientAction,
    /// The HTTP versions that the request is sent with.
    pub versions: HttpVersions,
    /// The status and body that the client receives; `None` if the connection ends before the response is complete.
    pub response: Option<(u16, &'static str)>,
    /// Headers or trailers that the response must contain, names in lower case.
    pub response_headers: &'static [(&'static str, &'static str)],
    /// The transaction's name; `None` if nothing may be recorded.
    pub transaction: Option<&'static str>,
    /// The transaction's result.
    pub result: &'static str,
    /// The transaction's outcome.
    pub outcome: Outcome,
    /// The expected error report.
    pub errors: Errors,
    /// User, tags and spans, in the notation of the failure messages: `user 7, plan=gold, render > SELECT FROM books`.
    pub description: &'static str,
    /// The expected `traceparent` of the transaction.
    pub trace: Option<&'static str>,
    /// Whether the client's address must be recorded.
    pub has_client_address: bool,
}

/// The HTTP versions that a case is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpVersions {
    /// HTTP/1.1 and HTTP/2.
    Both,
    /// Only HTTP/1.1.
    Http1,
    /// Only HTTP/2.
    Http2,
}

/// The action of the client after it sent the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAction {
    /// Reads the whole response.
    ReadAll,
    /// Reads only the response head (status and headers) and closes the connection, as another protocol would start
    /// here.
    ReadHead,
    /// Reads the first bytes of the body, then releases the rest of it, and reads it to the end.
    ReadSlowly,
    /// Closes the connection after the first bytes of the body.
    DisconnectInBody,
    /// Closes the connection while the handler runs.
    Disconnect,
    /// Resets the connection while the handler runs.
    Reset,
}

/// The errors that must be reported.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Errors {
    /// No error.
    None,
    /// One error, of any type that the framework uses.
    One,
    /// One error with this type name and message.
    Of(&'static str, &'static str),
    /// One error with this type name, message and cause, and with the source line that it comes from.
    Chain(&'static str, &'static str, &'static str),
}

/// A plain request. Each case lists only its differences from it.
pub(in super::super) const PLAIN: Case = Case {
    name: "",
    request: "",
    headers: &[],
    body: "",
    client: ClientAction::ReadAll,
    versions: HttpVersions::Both,
    response: None,
    response_headers: &[],
    transaction: None,
    result: "200",
    outcome: Outcome::Ok,
    errors: Errors::None,
    description: "",
    trace: None,
    has_client_address: false,
};
