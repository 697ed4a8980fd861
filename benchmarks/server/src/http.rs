//! A client of HTTP/1.1 that keeps its connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::Result;

/// A connection to the server.
pub(crate) struct Client {
    address: String,
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

/// An answer of the server.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header lines, in lower case up to the colon.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { address: address.to_owned(), answers: BufReader::new(stream.try_clone()?), stream })
    }

    /// Posts a body, and fails unless it is accepted.
    pub(crate) fn post(&mut self, path: &str, token: &str, content_type: &str, body: &[u8]) -> Result<()> {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: {content_type}\r\n\
             User-Agent: opbeat-python/3.6.1\r\nX-Opbeat-Platform: lang=python/3.11.7 platform=CPython framework=flask/2.2.5\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request)?;
        let answer = self.read()?;
        if answer.status != 202 && answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
        }
        Ok(())
    }

    /// Requests a path with header lines, each of which ends with a line break.
    pub(crate) fn get(&mut self, path: &str, headers: &str) -> Result<Answer> {
        write!(self.stream, "GET {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.address)?;
        self.read()
    }

    fn read(&mut self) -> Result<Answer> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.answers.read_line(&mut line)?;
            let Some((name, value)) = line.trim().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.ok_or("no Content-Length")?.1.parse()?;
        let mut body = vec![0; length];
        self.answers.read_exact(&mut body)?;
        Ok(Answer { status, headers, body })
    }
}
