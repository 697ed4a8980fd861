//! A client that does what browsers don't.

use std::io::{self, BufRead, BufReader, Read as _, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use super::cases::Read;
use super::handlers::{arrived, wait_for_arrival};

/// No answer takes longer on any machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Sends a request and does with the response what the case says. Returns the status and the body.
pub(super) fn exchange(address: SocketAddr, request: &str, read: Read) -> io::Result<Option<(u16, String)>> {
    let before = arrived();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "{request} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
    match read {
        Read::Nothing if !wait_for_arrival(before, PATIENCE) => Err(io::Error::other("the handler did not run")),
        Read::Nothing => stream.shutdown(Shutdown::Both).map(|()| None),
        Read::FirstChunk => read_first_chunk(&stream).map(|()| None),
        Read::All => read_all(&stream),
    }
}

fn read_first_chunk(stream: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    read_head(&mut reader)?;
    reader.read_exact(&mut [0])?;
    stream.shutdown(Shutdown::Both)
}

fn read_all(stream: &TcpStream) -> io::Result<Option<(u16, String)>> {
    let mut reader = BufReader::new(stream);
    let Some(head) = read_head(&mut reader)? else { return Ok(None) };
    let mut body = Vec::new();
    if head.is_chunked {
        read_chunks(&mut reader, &mut body)?;
    } else {
        reader.read_to_end(&mut body)?;
    }
    Ok(Some((head.status, String::from_utf8_lossy(&body).into_owned())))
}

struct Head {
    status: u16,
    is_chunked: bool,
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return Ok(None);
    }
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut head = Head { status: status.ok_or(io::ErrorKind::InvalidData)?, is_chunked: false };
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        head.is_chunked |= line.to_ascii_lowercase().starts_with("transfer-encoding: chunked");
        if line.trim_end().is_empty() {
            return Ok(Some(head));
        }
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
