//! Bodies as agents compress them, without a header that says so.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::{GzDecoder, ZlibDecoder};

/// A body that cannot be inflated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// It is larger than the limit.
    #[error("the inflated body is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// It is no stream of its kind, or breaks off.
    #[error("the body begins like {0} and cannot be inflated: {1}")]
    Damaged(&'static str, String),
}

/// Inflates a body as its first bytes say: zlib (RFC 1950), gzip (RFC 1952), or not at all.
///
/// # Errors
///
/// Returns an error if it is damaged, or larger than `limit`; no more than that is ever held.
pub fn inflate(body: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, InflateError> {
    match body {
        // 0x78 is deflate with a window of 32 KiB; JSON begins with `{`, which is 0x7b.
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
    fn each_way_of_sending_is_read() {
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
    fn a_bomb_costs_no_more_than_the_limit() {
        let mut bomb = ZlibEncoder::new(Vec::new(), Compression::best());
        for _ in 0..64 {
            bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
        }
        let bomb = bomb.finish().unwrap();
        assert!(bomb.len() < 100_000);
        assert_eq!(inflate(&bomb, 1 << 20), Err(InflateError::TooLarge(1 << 20)));
    }

    #[test]
    fn what_breaks_off_is_damaged() {
        assert!(matches!(inflate(&[0x78, 0x9c, 0x01], 100), Err(InflateError::Damaged("zlib", _))));
    }
}
