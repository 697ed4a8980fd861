//! An HTTP/1.1 client over a plain TCP stream.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Instant;

use super::super::cases::{Case, ClientAction, PLAIN};
use super::super::handlers::{arrived, open_gate, wait_for_arrival};
use super::exchange::{Exchange, PATIENCE};

impl Case {
    /// Sends the request over HTTP/1.1, then performs the client action.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection fails, or the response is not valid HTTP.
    pub fn send(&self, address: SocketAddr) -> io::Result<Exchange> {
        let before = arrived();
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(&stream);
        if self.client == ClientAction::Reset {
            request_without_reading(&stream)?;
        }
        self.write(&stream, &mut reader)?;
        match self.client {
            ClientAction::Disconnect | ClientAction::Reset if !wait_for_arrival(before, PATIENCE) => {
                Err(io::Error::other("the handler did not run"))
            }
            // Dropping the stream closes the connection; unread bytes make that a reset.
            ClientAction::Disconnect | ClientAction::Reset => Ok(Exchange::default()),
            ClientAction::ReadHead => {
                read_head(&mut reader).map(|head| head.map_or_else(Exchange::default, Head::alone))
            }
            ClientAction::DisconnectInBody => read_first_bytes(&mut reader).and_then(|_| disconnect(&stream)),
            ClientAction::ReadSlowly => read_slowly(&mut reader),
            ClientAction::ReadAll => read_all(&mut reader, self.request.starts_with("HEAD")),
        }
    }

    fn write(&self, mut stream: &TcpStream, reader: &mut impl BufRead) -> io::Result<()> {
        let Self { request, body, .. } = self;
        let mut head = format!("{request} HTTP/1.1\r\nHost: shop.example\r\nX-Probe: 1\r\n");
        let connection = if self.headers.iter().any(|line| line.starts_with("Upgrade:")) { "Upgrade" } else { "close" };
        head += &format!("Content-Length: {}\r\nConnection: {connection}\r\n", body.len());
        self.headers.iter().for_each(|line| head += &format!("{line}\r\n"));
        stream.write_all((head + "\r\n").as_bytes())?;
        if self.headers.contains(&"Expect: 100-continue") {
            let head = read_head(reader)?.unwrap_or_default();
            if head.status != 100 {
                return Err(io::Error::other(format!("expected status 100, got {}", head.status)));
            }
        }
        stream.write_all(body.as_bytes())
    }
}

/// Requests a response and does not read it. TCP resets a connection that is closed with unread bytes.
fn request_without_reading(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: shop.example\r\n\r\n")?;
    stream.peek(&mut [0]).map(drop)
}

fn disconnect(stream: &TcpStream) -> io::Result<Exchange> {
    stream.shutdown(Shutdown::Both).map(|()| Exchange::default())
}

/// Reads the response head and waits for the first bytes of the body.
fn read_first_bytes(reader: &mut impl BufRead) -> io::Result<Head> {
    let head = read_head(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    reader.fill_buf().map(|_| head)
}

/// Reads the first bytes, then opens the gate that holds the rest of the body, and reads it.
///
/// The transaction must last at least as long as the time in between.
fn read_slowly(reader: &mut impl BufRead) -> io::Result<Exchange> {
    let head = read_first_bytes(reader)?;
    let first = Instant::now();
    std::thread::yield_now();
    let held = first.elapsed();
    open_gate();
    Ok(Exchange { held, ..read_body(reader, head)? })
}

fn read_all(reader: &mut impl BufRead, ends_at_head: bool) -> io::Result<Exchange> {
    match read_head(reader)? {
        Some(head) if ends_at_head => Ok(head.alone()),
        Some(head) => read_body(reader, head),
        None => Ok(Exchange::default()),
    }
}

fn read_body(reader: &mut impl BufRead, mut head: Head) -> io::Result<Exchange> {
    let mut body = Vec::new();
    let is_whole = if head.header("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked"))
    {
        read_chunks(reader, &mut body) && read_lines(reader, &mut head.headers).is_ok()
    } else {
        // A broken connection also ends the body, which is then shorter than its declared length.
        let _ = reader.read_to_end(&mut body);
        let length = head.header("content-length").and_then(|length| length.parse().ok());
        length.is_none_or(|length: usize| length == body.len())
    };
    let response = is_whole.then(|| (head.status, String::from_utf8_lossy(&body).into_owned()));
    Ok(Exchange { response, ..head.into() })
}

#[derive(Default)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Returns the response head as a response without a body.
    fn alone(self) -> Exchange {
        Exchange { response: Some((self.status, String::new())), ..self.into() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl From<Head> for Exchange {
    fn from(head: Head) -> Self {
        Self { headers: head.headers, ..Self::default() }
    }
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut head = Head { status: status.ok_or(io::ErrorKind::InvalidData)?, ..Head::default() };
    read_lines(reader, &mut head.headers)?;
    Ok(Some(head))
}

/// Reads header or trailer lines.
fn read_lines(reader: &mut impl BufRead, lines: &mut Vec<(String, String)>) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(()) };
        lines.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Reads all chunks. Returns whether the last chunk arrived.
fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> bool {
    let mut line = String::new();
    loop {
        line.clear();
        let length = reader.read_line(&mut line).ok().and_then(|_| usize::from_str_radix(line.trim_end(), 16).ok());
        let Some(length) = length else { return false };
        if length == 0 {
            return true;
        }
        let mut chunk = vec![0; length + 2];
        if reader.read_exact(&mut chunk).is_err() {
            return false;
        }
        body.extend_from_slice(&chunk[..length]);
    }
}

/// Sends requests concurrently, each over its own connection.
pub(super) fn send_at_once<const N: usize>(
    requests: [&'static str; N],
    address: SocketAddr,
) -> io::Result<[Exchange; N]> {
    let sent = requests.map(|request| std::thread::spawn(move || Case { request, ..PLAIN }.send(address)));
    let mut exchanges = [const { Exchange::nothing() }; N];
    for (sent, exchange) in sent.into_iter().zip(&mut exchanges) {
        *exchange = sent.join().map_err(|_| io::Error::other("the client panicked"))??;
    }
    Ok(exchanges)
}
