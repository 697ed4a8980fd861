//! Inflates bodies. Agents compress them and send no `Content-Encoding`, so that the first bytes decide.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Read;

use flate2::read::{DeflateDecoder, GzDecoder};
use flate2::{Decompress, FlushDecompress, Status};

use super::report::size;

/// The error when a body cannot be inflated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InflateError {
    /// The inflated body is larger than the limit, in bytes.
    #[error("the inflated body is larger than {}", size(*.0))]
    TooLarge(usize),
    /// The stream of the named format is invalid, or ends too early.
    #[error("the body starts like {0} but cannot be inflated: {1}")]
    Damaged(&'static str, String),
}

/// A body without its compression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Inflated<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Whether it was compressed without the header of zlib.
    pub(super) is_raw_deflate: bool,
}

thread_local! {
    /// The state of a decompressor. To make and clear one takes longer than to inflate a body of 10 KB.
    static ZLIB: RefCell<Decompress> = RefCell::new(Decompress::new(true));
}

/// Inflates a body by its first bytes: zlib (RFC 1950), gzip (RFC 1952), raw deflate (RFC 1951), or plain.
///
/// # Errors
///
/// Returns an error if the body is damaged, or its inflated size is above `limit` bytes. At most one byte more than
/// `limit` is ever in memory.
pub(super) fn inflate(body: &[u8], limit: usize) -> Result<Inflated<'_>, InflateError> {
    let owned = |bytes| Inflated { bytes: Cow::Owned(bytes), is_raw_deflate: false };
    match body {
        // 0x78 starts a zlib stream with a window of 32 KiB; JSON starts with `{`, which is 0x7b.
        [0x78, ..] => inflate_zlib(body, limit).map(owned),
        [0x1f, 0x8b, ..] => read(GzDecoder::new(body), limit, "gzip").map(owned),
        [first, ..] if !is_text(*first) => match read(DeflateDecoder::new(body), limit, "deflate") {
            Err(InflateError::Damaged(..)) => plain(body, limit),
            inflated => inflated.map(|bytes| Inflated { is_raw_deflate: true, ..owned(bytes) }),
        },
        _ => plain(body, limit),
    }
}

fn plain(body: &[u8], limit: usize) -> Result<Inflated<'_>, InflateError> {
    match body.len() > limit {
        true => Err(InflateError::TooLarge(limit)),
        false => Ok(Inflated { bytes: Cow::Borrowed(body), is_raw_deflate: false }),
    }
}

/// Returns whether a byte can start JSON, a form or a byte order mark. Raw deflate starts with others, mostly.
fn is_text(first: u8) -> bool {
    first.is_ascii_graphic() || first.is_ascii_whitespace() || first == 0xef
}

fn inflate_zlib(body: &[u8], limit: usize) -> Result<Vec<u8>, InflateError> {
    let damaged = |reason: &str| InflateError::Damaged("zlib", reason.to_owned());
    ZLIB.with_borrow_mut(|state| {
        state.reset(true);
        let mut inflated = Vec::with_capacity(body.len().saturating_mul(4).clamp(1 << 10, 1 << 20).min(limit + 1));
        loop {
            let read = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
            let rest = body.get(read..).unwrap_or_default();
            let status = state.decompress_vec(rest, &mut inflated, FlushDecompress::None);
            let status = status.map_err(|error| damaged(&error.to_string()))?;
            if inflated.len() > limit {
                return Err(InflateError::TooLarge(limit));
            }
            if status == Status::StreamEnd {
                return Ok(inflated);
            }
            if inflated.len() < inflated.capacity() {
                return Err(damaged("it ends too early"));
            }
            inflated.reserve_exact(inflated.len().min(limit + 1 - inflated.len()));
        }
    })
}

fn read(decoder: impl Read, limit: usize, kind: &'static str) -> Result<Vec<u8>, InflateError> {
    let mut inflated = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut inflated);
    read.map_err(|error| InflateError::Damaged(kind, error.to_string()))?;
    if inflated.len() > limit { Err(InflateError::TooLarge(limit)) } else { Ok(inflated) }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn zlib_gzip_deflate_and_plain_bodies_are_read() {
        let json = br#"{"message": "books"}"#;
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(json).unwrap();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(json).unwrap();
        for body in [json.to_vec(), zlib.finish().unwrap(), gzip.finish().unwrap()] {
            assert_eq!(inflate(&body, 1_000).unwrap(), Inflated { bytes: json.into(), is_raw_deflate: false });
        }
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(json).unwrap();
        let raw = deflate.finish().unwrap();
        assert_eq!(inflate(&raw, 1_000).unwrap(), Inflated { bytes: json.into(), is_raw_deflate: true });
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
