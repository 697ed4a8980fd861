//! Documents: values that the store reads and writes as a whole, as JSON compressed with zlib.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::de::DeserializeOwned;

/// Inflated bytes: a larger document is damaged, since intake limits bodies to far less.
const MAX_INFLATED: u64 = 64 << 20;

/// Compresses a document.
pub(super) fn pack(document: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(document)?;
    encoder.finish()
}

/// Reads a compressed document.
pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> io::Result<T> {
    let mut inflated = Vec::new();
    ZlibDecoder::new(packed).take(MAX_INFLATED).read_to_end(&mut inflated)?;
    Ok(serde_json::from_slice(&inflated)?)
}
