//! A client that does what browsers don't.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::cases::{Case, Read};
use super::handlers::{arrived, open_gate, wait_for_arrival};

/// No answer takes longer on any machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// Status and body, where the whole response was read.
    pub answer: Option<(u16, String)>,
    /// The head's lines, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The time from the body's first bytes to when the rest was let go.
    pub held: Duration,
}

impl Exchange {
    /// Returns a header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Case {
    /// Sends the request, and does with the response what the case says.
    ///
    /// # Errors
    ///
    /// Returns an error if the connection fails, or the answer is none of HTTP.
    pub fn send(&self, address: SocketAddr) -> io::Result<Exchange> {
        let before = arrived();
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut reader = BufReader::new(&stream);
        self.write(&stream, &mut reader)?;
        match self.read {
            Read::Nothing if !wait_for_arrival(before, PATIENCE) => Err(io::Error::other("the handler did not run")),
            Read::Nothing => stream.shutdown(Shutdown::Both).map(|()| Exchange::default()),
            Read::Head => read_head(&mut reader).map(|head| head.unwrap_or_default().into()),
            Read::FirstChunk => read_first_bytes(&mut reader).and_then(|_| leave(&stream)),
            Read::Slowly => read_slowly(&mut reader),
            Read::All => read_all(&mut reader),
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
                return Err(io::Error::other(format!("instead of 100 came {}", head.status)));
            }
        }
        stream.write_all(body.as_bytes())
    }
}

fn leave(stream: &TcpStream) -> io::Result<Exchange> {
    stream.shutdown(Shutdown::Both).map(|()| Exchange::default())
}

/// Reads the head and a byte of what follows.
fn read_first_bytes(reader: &mut impl BufRead) -> io::Result<Head> {
    let head = read_head(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    reader.fill_buf().map(|_| head)
}

/// The time between the first bytes and the gate's opening is the client's, and the transaction has to last that long.
fn read_slowly(reader: &mut impl BufRead) -> io::Result<Exchange> {
    let head = read_first_bytes(reader)?;
    let first = Instant::now();
    std::thread::yield_now();
    let held = first.elapsed();
    open_gate();
    Ok(Exchange { held, ..read_body(reader, head)? })
}

fn read_all(reader: &mut impl BufRead) -> io::Result<Exchange> {
    match read_head(reader)? {
        Some(head) => read_body(reader, head),
        None => Ok(Exchange::default()),
    }
}

fn read_body(reader: &mut impl BufRead, head: Head) -> io::Result<Exchange> {
    let mut body = Vec::new();
    if head.header("transfer-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("chunked")) {
        read_chunks(reader, &mut body)?;
    } else {
        reader.read_to_end(&mut body)?;
    }
    let answer = Some((head.status, String::from_utf8_lossy(&body).into_owned()));
    Ok(Exchange { answer, ..head.into() })
}

#[derive(Default)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
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
    let mut head = Head { status: status.ok_or(io::ErrorKind::InvalidData)?, headers: Vec::new() };
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Some(head)) };
        head.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Reads to the last chunk, or to where the connection breaks off.
fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return Ok(());
        }
        let length = usize::from_str_radix(line.trim_end(), 16).map_err(|_| io::ErrorKind::InvalidData)?;
        let mut chunk = vec![0; length + 2];
        if length == 0 || reader.read_exact(&mut chunk).is_err() {
            return Ok(());
        }
        body.extend_from_slice(&chunk[..length]);
    }
}
