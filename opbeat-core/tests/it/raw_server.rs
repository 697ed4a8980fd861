//! A server that sends the same bytes as each response and closes the connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use opbeat_core::Config;

/// The part of a request that the server reads before it responds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    Everything,
    HeadersOnly,
    Nothing,
}

/// Starts a server on a free port. The receiver gets the first line of each request.
pub(crate) fn start(reads: Reads, response: impl Into<Vec<u8>>) -> (Config, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config::new("o", "a", "t").server_url(format!("http://{}", listener.local_addr().unwrap()));
    let (sender, receiver) = mpsc::channel();
    let response = response.into();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client may disconnect early.
            let _ = serve(&stream.unwrap(), reads, &response, &sender);
        }
    });
    (config, receiver)
}

fn serve(stream: &TcpStream, reads: Reads, response: &[u8], sender: &mpsc::Sender<String>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length) = (String::new(), 0);
    if reads != Reads::Nothing {
        reader.read_line(&mut first)?;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
    }
    // The test may not receive any more.
    let _ = sender.send(first.trim_end().to_owned());
    if reads == Reads::Everything {
        reader.read_exact(&mut vec![0; length])?;
    }
    (&mut &*stream).write_all(response)
}

/// Formats an HTTP response.
pub(crate) fn response(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
