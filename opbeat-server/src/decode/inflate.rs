//! Inflates bodies. Agents compress them and send no `Content-Encoding`, so that the first bytes decide.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::report::size;

/// The error when a body cannot be inflated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InflateError {
    /// The inflated body is larger than the limit, in bytes.
    #[error("the inflated body is larger than {}", size(*.0))]
    TooLarge(usize),
    /// The stream of the named format is invalid, or ends too early.
    #[error("the body starts like {0} but cannot be inflated: {1}")]
    Damaged(&'static str, String),
}

/// Inflates a body by its first bytes: zlib (RFC 1950), gzip (RFC 1952), or plain.
///
/// # Errors
///
/// Returns an error if the body is damaged, or its inflated size is above `limit` bytes. At most one byte more than
/// `limit` is ever in memory.
pub(crate) fn inflate(body: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, InflateError> {
    match body {
        // 0x78 starts a zlib stream with a window of 32 KiB; JSON starts with `{`, which is 0x7b.
        [0x78, ..] => read("zlib", ZlibDecoder::new(body), limit).map(Cow::Owned),
        [0x1f, 0x8b, ..] => read("gzip", GzDecoder::new(body), limit).map(Cow::Owned),
        plain if plain.len() > limit => Err(InflateError::TooLarge(limit)),
        plain => Ok(Cow::Borrowed(plain)),
    }
}

fn read(kind: &'static str, decoder: impl Read, limit: usize) -> Result<Vec<u8>, InflateError> {
    let mut inflated = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut inflated);
    read.map_err(|error| InflateError::Damaged(kind, error.to_string()))?;
    if inflated.len() > limit { Err(InflateError::TooLarge(limit)) } else { Ok(inflated) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn zlib_gzip_and_plain_bodies_are_read() {
        let json = br#"{"message": "books"}"#;
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(json).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(json).unwrap();
        for body in [json.to_vec(), zlib.finish().unwrap(), gzip.finish().unwrap()] {
            assert_eq!(inflate(&body, 1_000).unwrap().as_ref(), json);
        }
    }

    #[test]
    fn inflating_stops_at_the_limit() {
        let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
        }
        let bomb = bomb.finish().unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(inflate(&bomb, 1 << 20), Err(InflateError::TooLarge(1 << 20)));
    }

    #[test]
    fn a_body_that_ends_too_early_is_damaged() {
        assert!(matches!(inflate(&[0x78, 0x9c, 0x01], 100), Err(InflateError::Damaged("zlib", _))));
    }
}
