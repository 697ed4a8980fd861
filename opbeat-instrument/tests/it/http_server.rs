//! A server of HTTP/1.1 whose responses a test writes, one for each connection.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// A server that sends the given responses, and closes the connection after each.
pub(crate) struct HttpServer {
    address: SocketAddr,
    requests: Receiver<String>,
}

/// A part of a response.
pub(crate) enum Part {
    Text(&'static str),
    /// Waits until the test drops the other end of the channel.
    Gate(Receiver<()>),
}

/// Opens the gate of a response when it is dropped.
pub(crate) type Opener = Sender<()>;

/// A response with a body of a known length.
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n19.5";

/// A response with the status 404.
pub(crate) const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno";

/// A response with the status 503.
pub(crate) const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbusy";

/// A response to `HEAD`, whose body would have a length.
pub(crate) const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n";

/// A response that redirects to another path.
pub(crate) const MOVED: &str =
    "HTTP/1.1 302 Found\r\nlocation: /books/43\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A response whose body ends before its length.
pub(crate) const TRUNCATED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 40\r\nconnection: close\r\n\r\n19.5";

/// A response whose body is invalid.
pub(crate) const INVALID: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nsize\r\n";

/// A response whose body continues when the test opens the gate.
pub(crate) fn slow() -> (Vec<Part>, Opener) {
    let (opener, gate) = channel();
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\n19";
    (vec![Part::Text(head), Part::Gate(gate), Part::Text(".5")], opener)
}

/// No response until the test drops the opener.
pub(crate) fn silent() -> (Vec<Part>, Opener) {
    let (opener, gate) = channel();
    (vec![Part::Gate(gate)], opener)
}

impl HttpServer {
    /// Starts a server with complete responses.
    pub(crate) fn start<const N: usize>(responses: [&'static str; N]) -> Self {
        Self::start_with(responses.map(|response| vec![Part::Text(response)]).into())
    }

    /// Starts a server with responses in parts.
    pub(crate) fn start_with(responses: Vec<Vec<Part>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (sender, requests) = channel();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for response in responses {
                let (mut connection, _) = listener.accept().unwrap();
                sender.send(read_request(&mut connection)).unwrap();
                respond(&mut connection, response);
            }
        });
        Self { address, requests }
    }

    /// Returns the URL of a path, with a password and a query, which no span may show.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://ada:secret@{}{path}?token=secret", self.address)
    }

    /// Returns a URL without a password and a query.
    pub(crate) fn plain_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the header of the next request that the server received.
    pub(crate) fn received(&self, name: &str) -> Option<String> {
        let request = self.received_text();
        let headers = request.lines().filter_map(|line| line.split_once(": "));
        let found: Vec<&str> =
            headers.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect();
        assert!(found.len() <= 1, "the header is sent once: {found:?}");
        found.first().map(|&value| value.to_owned())
    }

    /// Returns the next request that the server received: its head, and its body if that is chunked.
    pub(crate) fn received_text(&self) -> String {
        self.requests.recv().unwrap()
    }

    /// Replaces the address of the server in a text by a name.
    pub(crate) fn shown(&self, text: &str) -> String {
        text.replace(&self.address.to_string(), "prices.example")
    }
}

/// Returns an address on which nothing listens.
pub(crate) fn closed_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn read_request(connection: &mut TcpStream) -> String {
    let mut request = read_to(connection, "\r\n\r\n");
    if request.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        request += &read_to(connection, "\r\n0\r\n\r\n");
    }
    request
}

fn read_to(connection: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with(end) && connection.read(&mut byte).unwrap() == 1 {
        text.push(char::from(byte[0]));
    }
    text
}

fn respond(connection: &mut TcpStream, response: Vec<Part>) {
    for part in response {
        match part {
            Part::Text(text) => match connection.write_all(text.as_bytes()) {
                // The client may have dropped the response.
                Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => return,
                written => written.unwrap(),
            },
            // It returns an error when the opener is dropped.
            Part::Gate(gate) => drop(gate.recv()),
        }
    }
}
