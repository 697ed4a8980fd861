//! Packed documents: values that the store reads and writes as a whole, as JSON compressed with zlib.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Read};

use flate2::read::ZlibDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest size of a document, in bytes. Larger ones are not stored, since they could not be read.
const MAX_INFLATED: usize = 64 << 20;

thread_local! {
    /// The state of the compression, several hundred kilobytes. To allocate and clear it takes longer than to compress
    /// a document of ten.
    static COMPRESS: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), true));

    /// The JSON of the last document. To grow a new buffer copies a document of ten kilobytes several times.
    static JSON: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The capacity of the buffer that a thread keeps, in bytes.
const MAX_KEPT: usize = 256 << 10;

/// Writes a document as JSON, and compresses it. Returns the size of the JSON too, in bytes.
///
/// # Errors
///
/// Returns an error if the document is too large to be read again.
pub(crate) fn pack_json<T: Serialize>(document: &T) -> io::Result<(Vec<u8>, usize)> {
    JSON.with_borrow_mut(|json| {
        json.clear();
        serde_json::to_writer(&mut *json, document)?;
        let (packed, size) = (pack(json), json.len());
        json.shrink_to(MAX_KEPT);
        Ok((packed?, size))
    })
}

/// Compresses a document.
///
/// # Errors
///
/// Returns an error if the document is too large to be read again.
pub(crate) fn pack(document: &[u8]) -> io::Result<Vec<u8>> {
    if document.len() > MAX_INFLATED {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a document is larger than 64 MiB"));
    }
    COMPRESS.with_borrow_mut(|compress| {
        compress.reset();
        // JSON shrinks to a fraction. The loop adds room for documents that do not.
        let mut packed = Vec::with_capacity(document.len() / 3 + 64);
        loop {
            let read = usize::try_from(compress.total_in()).unwrap_or(usize::MAX).min(document.len());
            let status = compress.compress_vec(&document[read..], &mut packed, FlushCompress::Finish);
            match status.map_err(io::Error::other)? {
                Status::StreamEnd => return Ok(packed),
                Status::Ok | Status::BufError => packed.reserve(document.len() / 2 + 64),
            }
        }
    })
}

/// Compresses a document, unless it is compressed already: errors are, on the thread that received them, so that the
/// queue is smaller. Those in records of earlier versions are not.
///
/// # Errors
///
/// Returns an error if the document is too large to be read again.
pub(crate) fn packed(document: &[u8]) -> io::Result<Cow<'_, [u8]>> {
    match document.first() {
        // Zlib with a window of 32 KiB. No JSON starts with it.
        Some(0x78) => Ok(Cow::Borrowed(document)),
        _ => pack(document).map(Cow::Owned),
    }
}

/// Reads a compressed document.
///
/// # Errors
///
/// Returns an error if the document is damaged.
pub(crate) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> io::Result<T> {
    let mut inflated = Vec::new();
    ZlibDecoder::new(packed).take(MAX_INFLATED as u64).read_to_end(&mut inflated)?;
    Ok(serde_json::from_slice(&inflated)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_any_size_are_packed_and_read_one_after_the_other() {
        let mut random = fastrand::Rng::with_seed(7);
        for length in [0, 1, 100, 10_000, 1_000_000] {
            let texts = [
                std::iter::repeat_n('a', length).collect(),
                (0..length).map(|_| random.alphanumeric()).collect::<String>(),
            ];
            for text in texts {
                let packed = pack(&serde_json::to_vec(&text).unwrap()).unwrap();
                assert_eq!(unpack::<String>(&packed).unwrap(), text, "{length}");
            }
        }
        let document = pack(b"\"packed once\"").unwrap();
        assert_eq!(pack_json(&"packed once").unwrap(), (document.clone(), b"\"packed once\"".len()));
        assert_eq!(*packed(&document).unwrap(), document);
        assert_eq!(*packed(b"\"packed once\"").unwrap(), document);
        assert!(unpack::<String>(b"damaged").is_err());
        assert!(pack(&vec![b'a'; MAX_INFLATED]).is_ok());
        assert!(pack(&vec![b'a'; MAX_INFLATED + 1]).is_err());
    }
}
