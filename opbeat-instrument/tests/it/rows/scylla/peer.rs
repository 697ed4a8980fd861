//! A node of a cluster of one, with the table `shop.books`.
//!
//! The messages are those of the CQL binary protocol, version 4. The node has no state: the id of a prepared statement
//! is its text, and every table has the same row.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The direction and the version of a response.
const RESPONSE: u8 = 0x84;

const ERROR: u8 = 0x00;
const STARTUP: u8 = 0x01;
const READY: u8 = 0x02;
const OPTIONS: u8 = 0x05;
const SUPPORTED: u8 = 0x06;
const QUERY: u8 = 0x07;
const RESULT: u8 = 0x08;
const PREPARE: u8 = 0x09;
const EXECUTE: u8 = 0x0a;
const REGISTER: u8 = 0x0b;
const BATCH: u8 = 0x0d;

/// The code of the error for an invalid request.
const INVALID: i32 = 0x2200;

/// Starts the node on the runtime of the test, which stops it.
pub(super) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a bound socket has an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

/// Answers the requests of a connection until the client closes it.
async fn answer(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut header = [0; 9];
        stream.read_exact(&mut header).await?;
        let [_, _, stream_id @ .., opcode, a, b, c, d] = header;
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).expect("32 bits fit");
        let mut request = vec![0; length];
        stream.read_exact(&mut request).await?;

        let (opcode, Body(body)) = respond(opcode, &request);
        let mut response = vec![RESPONSE, 0];
        response.extend(stream_id);
        response.push(opcode);
        response.extend(u32::try_from(body.len()).expect("a short response").to_be_bytes());
        response.extend(body);
        stream.write_all(&response).await?;
    }
}

fn respond(opcode: u8, request: &[u8]) -> (u8, Body) {
    match opcode {
        OPTIONS => (SUPPORTED, Body::default().short(0)),
        STARTUP | REGISTER => (READY, Body::default()),
        // A long string, with a length of four bytes.
        QUERY => execute(&text(&request[4..], &request[..4])),
        PREPARE => prepare(&text(&request[4..], &request[..4])),
        // The id, with a length of two bytes.
        EXECUTE => execute(&text(&request[2..], &request[..2])),
        BATCH => (RESULT, void()),
        _ => error("an unknown request"),
    }
}

fn text(bytes: &[u8], length: &[u8]) -> String {
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

fn error(message: &str) -> (u8, Body) {
    (ERROR, Body::default().int(INVALID).string(message))
}

fn void() -> Body {
    Body::default().int(1)
}

/// A result of the kind `Prepared`.
fn prepare(statement: &str) -> (u8, Body) {
    if statement.contains("missing") {
        return error("unconfigured table missing");
    }
    let body = Body::default().int(4).short(statement.len()).bytes(statement.as_bytes());
    let variables = if statement.contains("?, ?") { vec!["id", "title"] } else { Vec::new() };
    // The flag for one table, the number of variables, and no indexes of the partition key.
    let body = body.int(1).count(variables.len()).int(0).string("shop").string("books");
    (RESULT, variables.iter().fold(body, |body, name| body.column(name)).metadata(&columns(statement)))
}

/// A result of the kind `Rows`, or `Void` for a statement that returns no rows.
fn execute(statement: &str) -> (u8, Body) {
    if statement.contains("missing") {
        return error("unconfigured table missing");
    }
    let columns = columns(statement);
    if columns.is_empty() {
        return (RESULT, void());
    }
    let body = Body::default().int(2).metadata(&columns);
    // The node has no peers, and no keyspaces whose replication it describes.
    if statement.contains("system.peers") || statement.contains("system_schema") {
        return (RESULT, body.int(0));
    }
    (RESULT, columns.iter().fold(body.int(1), |body, name| body.value(name)))
}

/// The names of the columns that a `SELECT` lists.
fn columns(statement: &str) -> Vec<&str> {
    let list = statement.strip_prefix("SELECT ").and_then(|rest| rest.split_once(" FROM "));
    list.map_or_else(Vec::new, |(list, _)| list.split(", ").collect())
}

/// The body of a response, or a part of it.
#[derive(Default)]
struct Body(Vec<u8>);

impl Body {
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn int(self, value: i32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    fn count(self, count: usize) -> Self {
        self.int(i32::try_from(count).expect("a short list"))
    }

    fn short(self, length: usize) -> Self {
        self.bytes(&u16::try_from(length).expect("a short text").to_be_bytes())
    }

    fn string(self, text: &str) -> Self {
        self.short(text.len()).bytes(text.as_bytes())
    }

    /// The description of the rows, with one table for all columns.
    fn metadata(self, columns: &[&str]) -> Self {
        let body = self.int(1).count(columns.len()).string("shop").string("books");
        columns.iter().fold(body, |body, name| body.column(name))
    }

    /// The name and the type of a column.
    fn column(self, name: &str) -> Self {
        let types: &[usize] = match name {
            "durable_writes" => &[0x04],
            "id" => &[0x09],
            "host_id" => &[0x0c],
            "rpc_address" => &[0x10],
            "replication" => &[0x21, 0x0d, 0x0d],
            "tokens" => &[0x22, 0x0d],
            _ => &[0x0d],
        };
        types.iter().fold(self.string(name), |body, code| body.short(*code))
    }

    /// The value of a column in the only row, after its length.
    fn value(self, name: &str) -> Self {
        let value = match name {
            "host_id" => Self(vec![7; 16]),
            "rpc_address" => Self(vec![127, 0, 0, 1]),
            "tokens" => Self::default().int(1).int(1).bytes(b"0"),
            _ => Self(b"a text".to_vec()),
        };
        self.count(value.0.len()).bytes(&value.0)
    }
}
