//! Reads response bodies.

use std::io::{self, BufRead, Read};

use super::Answer;

/// Reads the body of a response, until its end or the end of its first chunk.
pub fn read(reader: &mut impl BufRead, answer: &Answer, is_head: bool, only_first: bool) -> io::Result<Vec<u8>> {
    if is_head || matches!(answer.status, 100..=199 | 204 | 304) {
        return Ok(Vec::new());
    }
    if answer.header("transfer-encoding") == Some("chunked") {
        return read_chunks(reader, only_first);
    }
    let mut body = Vec::new();
    let length = answer.header("content-length").and_then(|length| length.parse().ok());
    let expected = length.unwrap_or(u64::MAX);
    reader.take(expected).read_to_end(&mut body)?;
    let is_complete = length.is_none_or(|length| body.len() as u64 == length);
    if is_complete { Ok(body) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

fn read_chunks(reader: &mut impl BufRead, only_first: bool) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = line.trim_end().split(';').next().and_then(|size| u64::from_str_radix(size, 16).ok());
        let size = size.ok_or_else(|| io::Error::other(format!("{line:?} is not the size of a chunk")))?;
        let already_read = body.len() as u64;
        reader.take(size).read_to_end(&mut body)?;
        if body.len() as u64 != already_read + size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Each chunk ends with an empty line. No example sends trailers.
        reader.read_line(&mut String::new())?;
        if size == 0 || only_first {
            return Ok(body);
        }
    }
}
