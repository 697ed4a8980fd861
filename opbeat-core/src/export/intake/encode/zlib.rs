//! Encodes and compresses bodies.

use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use serde::Serialize;

/// The largest body in bytes, compressed and uncompressed. `opbeat serve` accepts 4 MiB and 32 MiB.
const MAX_COMPRESSED: usize = 3 << 20;
const MAX_INFLATED: u64 = 24 << 20;

/// Compresses a body as all Opbeat agents do.
///
/// # Errors
///
/// Returns the reason why the body cannot be sent.
pub(in crate::export::intake) fn zlib(body: &impl Serialize) -> Result<Vec<u8>, String> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    write(&mut encoder, body).map_err(|error| format!("it cannot be written as JSON: {error}"))?;
    let inflated = encoder.total_in();
    let body = encoder.finish().map_err(|error| format!("it cannot be compressed: {error}"))?;
    if body.len() > MAX_COMPRESSED || inflated > MAX_INFLATED {
        return Err(format!(
            "it is larger than servers accept: {} KiB of JSON, {} KiB compressed",
            inflated >> 10,
            body.len() >> 10
        ));
    }
    Ok(body)
}

fn write(writer: impl Write, body: &impl Serialize) -> io::Result<()> {
    let mut buffered = BufWriter::new(writer);
    serde_json::to_writer(&mut buffered, body)?;
    buffered.flush()
}

/// Returns the length of a value in bytes of JSON. A value that cannot be encoded fails later, when it is sent.
pub(super) fn length(value: &impl Serialize) -> usize {
    let mut length = Length(0);
    // The writer never fails.
    let _ = serde_json::to_writer(&mut length, value);
    length.0
}

/// Counts the bytes written to it.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
