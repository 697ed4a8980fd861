//! Documents: values that the store reads and writes as a whole, as JSON compressed with zlib.

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
}

/// Compresses a document. Fails if it is too large to be read again.
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
                Status::StreamEnd => {
                    packed.shrink_to_fit();
                    return Ok(packed);
                }
                Status::Ok | Status::BufError => packed.reserve(document.len() / 2 + 64),
            }
        }
    })
}

/// Reads a compressed document.
pub(crate) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> io::Result<T> {
    let mut inflated = Vec::new();
    ZlibDecoder::new(packed).take(MAX_INFLATED as u64).read_to_end(&mut inflated)?;
    Ok(serde_json::from_slice(&inflated)?)
}

/// Returns a short document as JSON, which is stored as it is.
pub(super) fn to_text<T: Serialize>(document: &T) -> io::Result<String> {
    Ok(serde_json::to_string(document)?)
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
        assert!(unpack::<String>(b"damaged").is_err());
        assert!(pack(&vec![b'a'; MAX_INFLATED]).is_ok());
        assert!(pack(&vec![b'a'; MAX_INFLATED + 1]).is_err());
    }
}
