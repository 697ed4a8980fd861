//! Messages of websockets (RFC 6455).

use std::io::{self, Read, Write};

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// Sends a text message, at most 125 bytes long.
pub fn send_text(writer: &mut impl Write, text: &str) -> io::Result<()> {
    send(writer, TEXT, text.as_bytes())
}

/// Starts the closing handshake.
pub fn send_close(writer: &mut impl Write) -> io::Result<()> {
    send(writer, CLOSE, &[])
}

fn send(writer: &mut impl Write, kind: u8, payload: &[u8]) -> io::Result<()> {
    let length = u8::try_from(payload.len()).map_err(io::Error::other)?;
    // Clients must mask their frames. A mask of zeros leaves the payload as it is.
    let frame = [&[kind, 0x80 | length, 0, 0, 0, 0], payload].concat();
    writer.write_all(&frame)
}

/// Reads the next text message. Other frames, such as pings, are skipped.
pub fn read_text(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    loop {
        let (mut head, mut payload) = ([0; 2], Vec::new());
        reader.read_exact(&mut head)?;
        reader.take(u64::from(head[1] & 0x7f)).read_to_end(&mut payload)?;
        match head[0] {
            TEXT => return Ok(payload),
            CLOSE => return Err(io::Error::other("the application closed the websocket")),
            _ => {}
        }
    }
}
