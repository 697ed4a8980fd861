//! The requests that are sent to an application.

/// A request, and the transaction that it must be counted as.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    pub method: &'static str,
    /// The path and the query. `{}` is replaced by the [`take`](Self::take) of an earlier response.
    pub target: &'static str,
    /// The route in the transaction's name.
    pub route: &'static str,
    /// The headers, such as `Accept: text/html`. `{}` is replaced in them too.
    pub headers: &'static [&'static str],
    pub body: &'static str,
    pub exchange: Exchange,
    /// The texts before and after the part of this response that replaces `{}` in the requests after it.
    pub taken: Option<(&'static str, &'static str)>,
    /// The transaction's result, if it is not the status of the response.
    pub result: Option<&'static str>,
}

/// The client's behaviour after the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Reads the complete response.
    Complete,
    /// Reads the first chunk of the response body, then closes the connection.
    FirstChunk,
    /// Closes the connection without waiting for a response.
    Leave,
    /// Sends a text message after the upgrade, reads one, then closes the connection.
    Message(&'static str),
}

impl Request {
    /// Sends a body with its content type, if this is the only header.
    pub const fn body(self, headers: &'static [&'static str], body: &'static str) -> Self {
        Self { headers, body, ..self }
    }

    pub const fn headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    /// Keeps the part of the response between two texts. It replaces `{}` in later targets and headers.
    pub const fn take(self, before: &'static str, after: &'static str) -> Self {
        Self { taken: Some((before, after)), ..self }
    }

    /// Closes the connection after the first chunk of the response body.
    pub const fn first_chunk(self) -> Self {
        Self { exchange: Exchange::FirstChunk, result: Some("client_gone"), ..self }
    }

    /// Closes the connection after a moment, for a handler that does not respond.
    pub const fn leave(self) -> Self {
        Self { exchange: Exchange::Leave, result: Some("client_gone"), ..self }
    }

    /// Upgrades to a websocket and sends a message.
    pub const fn message(self, text: &'static str) -> Self {
        Self { exchange: Exchange::Message(text), headers: WEB_SOCKET, ..self }
    }

    /// Expects another result of the transaction than the status.
    pub const fn result(self, result: &'static str) -> Self {
        Self { result: Some(result), ..self }
    }

    /// Returns the name that the transaction must have.
    pub fn transaction(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}

/// The route in the name of requests that match no route.
pub const UNMATCHED: &str = "unmatched";

pub const JSON: &[&str] = &["Content-Type: application/json"];
pub const FORM: &[&str] = &["Content-Type: application/x-www-form-urlencoded"];
/// The type of [`FILE`].
pub const MULTIPART: &[&str] = &["Content-Type: multipart/form-data; boundary=limit"];
/// A form with one file.
pub const FILE: &str = "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
    Content-Type: text/plain\r\n\r\nfirst line\nsecond line\n\r\n--limit--\r\n";

/// The example key of RFC 6455.
const WEB_SOCKET: &[&str] = &[
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

pub const fn send(method: &'static str, target: &'static str, route: &'static str) -> Request {
    let exchange = Exchange::Complete;
    Request { method, target, route, headers: &[], body: "", exchange, taken: None, result: None }
}

pub const fn get(target: &'static str, route: &'static str) -> Request {
    send("GET", target, route)
}

pub const fn post(target: &'static str, route: &'static str) -> Request {
    send("POST", target, route)
}
