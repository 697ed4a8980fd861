//! A connection of HTTP/1.1 that costs little, so that the load takes no processor time from the servers.

use std::io::{self, ErrorKind};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The largest body of an answer, in bytes.
const MAX_BODY: usize = 64 << 20;

/// An answer of a server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The path of an accepted error.
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// A kept connection to a server, which is opened for the first request and after each error.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The host and the port.
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    /// Returns a connection to the server of a URL.
    pub(crate) fn new(url: &str) -> Self {
        Self { address: url.trim_start_matches("http://").to_owned(), stream: None }
    }

    /// Sends a request, and reads the answer. `headers` are lines that end with CR LF.
    pub(crate) async fn send(&mut self, line: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(&self.address).await?;
                stream.set_nodelay(true)?;
                BufReader::new(stream)
            }
        };
        let length = body.len();
        let head = format!("{line} HTTP/1.1\r\nHost: {}\r\n{headers}Content-Length: {length}\r\n\r\n", self.address);
        let mut request = head.into_bytes();
        request.extend_from_slice(body);
        stream.write_all(&request).await?;
        let (answer, is_kept) = read(&mut stream).await?;
        self.stream = is_kept.then_some(stream);
        Ok(answer)
    }
}

/// Reads an answer. Returns it, and whether the connection can be used again.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<(Answer, bool)> {
    let status = line(stream).await?;
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the answer has no status"))?;
    let (mut location, mut length, mut is_kept) = (None, 0, true);
    loop {
        let header = line(stream).await?;
        let Some((name, value)) = header.split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "location" => location = Some(value.to_owned()),
            "content-length" => length = value.parse().map_err(io::Error::other)?,
            "transfer-encoding" => return Err(io::Error::other("bodies in chunks are not read here")),
            "connection" => is_kept = !value.eq_ignore_ascii_case("close"),
            _ => {}
        }
    }
    if length > MAX_BODY {
        return Err(io::Error::other("the body is too large"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok((Answer { status, location, body }, is_kept))
}

/// Reads a line without its end. The end of the connection is an error.
async fn line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
