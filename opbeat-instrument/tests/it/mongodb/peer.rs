//! A peer that speaks MongoDB's wire protocol (`OP_MSG`), because Debian has no package of the server.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use mongodb::bson::{Document, doc};

/// The code of `OP_MSG` in a message's header.
const OP_MSG: i32 = 2013;

/// The length of a message's header: four numbers of 32 bits.
const HEADER: usize = 16;

/// Starts a peer that replies to each command with `reply`, and returns the URL for clients.
///
/// A reply of `None` closes the connection.
pub(super) fn start(reply: fn(&str, &Document) -> Option<Document>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            // The error is the end of the connection.
            thread::spawn(move || serve(stream, reply));
        }
    });
    format!("mongodb://{address}/?directConnection=true")
}

fn serve(mut stream: TcpStream, reply: fn(&str, &Document) -> Option<Document>) -> io::Result<()> {
    loop {
        let (request, command) = read(&mut stream)?;
        let name = command.keys().next().map(String::as_str).unwrap_or_default();
        let document = match name {
            "hello" | "ismaster" | "isMaster" => Some(greeting()),
            name => reply(name, &command),
        };
        let Some(document) = document else { return Ok(()) };
        write(&mut stream, request, &document)?;
    }
}

fn greeting() -> Document {
    doc! {
        "ok": 1.0,
        "helloOk": true,
        "isWritablePrimary": true,
        "maxBsonObjectSize": 16 * 1024 * 1024,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 100_000,
        "minWireVersion": 0,
        "maxWireVersion": 21,
    }
}

/// Reads a message, and returns its number and its command. Sequences of documents behind the command are skipped.
fn read(stream: &mut TcpStream) -> io::Result<(i32, Document)> {
    let mut header = [0; HEADER];
    stream.read_exact(&mut header)?;
    let number = |index: usize| {
        let bytes = header[index * 4..][..4].try_into().expect("four bytes");
        i32::from_le_bytes(bytes)
    };
    assert_eq!(number(3), OP_MSG, "the driver sends no other messages");
    let length = usize::try_from(number(0)).expect("lengths are positive");
    let mut body = vec![0; length - HEADER];
    stream.read_exact(&mut body)?;
    // Flags of 32 bits, and then the kind of the first section: 0 is one document.
    assert_eq!(body[4], 0, "the first section is the command");
    let command = Document::from_reader(&mut &body[5..]).map_err(io::Error::other)?;
    Ok((number(1), command))
}

fn write(stream: &mut TcpStream, request: i32, document: &Document) -> io::Result<()> {
    let mut body = vec![0; 5];
    document.to_writer(&mut body).map_err(io::Error::other)?;
    let length = i32::try_from(HEADER + body.len()).expect("replies are short");
    let header = [length, 0, request, OP_MSG];
    let mut message: Vec<u8> = header.into_iter().flat_map(i32::to_le_bytes).collect();
    message.extend(body);
    stream.write_all(&message)
}
