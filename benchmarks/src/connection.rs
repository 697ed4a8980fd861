//! One connection of a client that never waits.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    received: Vec<u8>,
    /// Set while a response is expected.
    pub(crate) due: Option<Instant>,
}

impl Connection {
    pub(crate) fn new(port: u16) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the application accepts");
        stream.set_nodelay(true).expect("sockets have it");
        stream.set_nonblocking(true).expect("sockets have it");
        Self { stream, received: Vec::with_capacity(1_024), due: None }
    }

    pub(crate) fn send(&mut self, request: &[u8], due: Instant) {
        self.stream.write_all(request).expect("a small request fits into any buffer");
        self.due = Some(due);
    }

    /// Returns the latency when the response is complete.
    pub(crate) fn receive(&mut self, status: &[u8]) -> Option<Duration> {
        let mut chunk = [0; 1_024];
        match self.stream.read(&mut chunk) {
            Ok(0) => panic!("the application closed a connection"),
            Ok(length) => self.received.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("a connection broke: {error}"),
        }
        if !is_complete(&self.received) {
            return None;
        }
        assert!(self.received.starts_with(status), "{}", String::from_utf8_lossy(&self.received));
        self.received.clear();
        self.due.take().map(|due| due.elapsed())
    }
}

/// The same request as for routers that are called in process.
pub(crate) fn request(path: &str) -> Vec<u8> {
    let headers = "host: shop.example\r\nuser-agent: benchmark/1.0\r\naccept: */*\r\naccept-encoding: gzip\r\n";
    format!("GET {path} HTTP/1.1\r\n{headers}\r\n").into_bytes()
}

fn is_complete(response: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(response) else { return false };
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
