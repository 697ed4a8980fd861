//! Sends requests on one connection.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Answer, body, message};
use crate::request::{Exchange, Request};

/// The time after which a response counts as missing.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The time between a request and the end of its connection, if the client leaves.
const MOMENT: Duration = Duration::from_millis(200);

/// A client that keeps its connection, as browsers do, until the application or a request closes it.
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Sends a request. `taken` replaces `{}` in its target and headers.
    pub fn send(&mut self, request: &Request, taken: &str) -> io::Result<Answer> {
        let mut connection = self.connection.take().map_or_else(|| self.connect(), Ok)?;
        connection.get_mut().write_all(self.text(request, taken).as_bytes())?;
        if request.exchange == Exchange::Leave {
            // The handler must have started before the connection is closed.
            thread::sleep(MOMENT);
            return Ok(Answer::default());
        }
        let Some(mut answer) = read_head(&mut connection)? else {
            return Ok(Answer::default());
        };
        let only_first = request.exchange == Exchange::FirstChunk;
        answer.body = body::read(&mut connection, &answer, request.method == "HEAD", only_first)?;
        match request.exchange {
            Exchange::Message(text) if answer.status == 101 => {
                message::send_text(connection.get_mut(), text)?;
                answer.body = message::read_text(&mut connection)?;
                message::send_close(connection.get_mut())?;
            }
            Exchange::FirstChunk | Exchange::Leave => {}
            _ if answer.header("connection") == Some("close") => {}
            _ => self.connection = Some(connection),
        }
        Ok(answer)
    }

    fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(BufReader::new(stream))
    }

    fn text(&self, request: &Request, taken: &str) -> String {
        let Request { method, target, headers, body, .. } = request;
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: applications\r\n", self.address);
        for header in *headers {
            text += &format!("{header}\r\n");
        }
        if ["POST", "PUT", "PATCH"].contains(method) {
            text += &format!("Content-Length: {}\r\n", body.len());
        }
        text.replace("{}", taken) + "\r\n" + body
    }
}

/// Reads the status and the headers. Returns `None` if the connection was closed.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Answer>> {
    let Some(line) = read_line(reader)? else {
        return Ok(None);
    };
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other(format!("{line:?} is not the start of a response")))?;
    let mut headers = Vec::new();
    while let Some(line) = read_line(reader)?
        && let Some((name, value)) = line.split_once(':')
    {
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    headers.sort();
    Ok(Some(Answer { status, headers, body: Vec::new() }))
}

/// Reads a line without its end. Returns `None` if the connection was closed or reset.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    match reader.read_line(&mut line) {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(line.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
        Err(error) => Err(error),
    }
}
