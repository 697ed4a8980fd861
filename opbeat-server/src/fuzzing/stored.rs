//! Bytes that the server wrote, and that an earlier version, another program or a failing disk can have changed.

use crate::changes::{BodyChanges, SampleDocument, decode, encode, pack, to_json, unpack};
use crate::sketch::Sketch;
use crate::worker::decode_parked;

/// The bytes that the changes of a record may take for each byte of it.
const BYTES_PER_BYTE: usize = 64;

/// The further bytes that the changes of a record may take.
const MIN_BYTES: usize = 9 << 20;

/// Decodes a record of the queue of each version, and damaged bytes of it.
pub fn changes_decode(data: &[u8]) {
    let records = decode_parked(data);
    let size: usize = records.iter().map(|record| record.bytes.len()).sum();
    assert_eq!(size, data.len(), "each byte is in one record");
    for record in records {
        match record.bodies {
            // A record of the first versions contains a body, which is interpreted when it is read.
            Ok(bodies) => round_trip(&bodies, data.len() * BYTES_PER_BYTE + MIN_BYTES),
            Err(reason) => assert!(!reason.contains("panicked"), "{reason}"),
        }
    }
}

fn round_trip(bodies: &[BodyChanges], limit: usize) {
    let bytes = encode(bodies);
    assert!(bytes.len() <= limit, "the changes take {} bytes, more than {limit}", bytes.len());
    let decoded = decode(&bytes).expect("encoded changes are decoded");
    assert!(encode(&decoded) == bytes, "changes are decoded as they were encoded");
}

/// Decodes a sketch, merges it with itself, and finds its quantiles.
pub fn sketch_decode(data: &[u8]) {
    let Some(sketch) = Sketch::decode(data) else { return };
    assert_eq!(Sketch::decode(&sketch.encode()).as_ref(), Some(&sketch), "a sketch is decoded as it was encoded");
    let mut merged = sketch.clone();
    merged.merge(&sketch);
    assert_eq!(merged.count(), twice(&sketch), "a merged sketch has the durations of both");
    assert_eq!(Sketch::decode(&merged.encode()), Some(merged), "a merged sketch is decoded as it was encoded");
    let quantiles = [0.0, 0.5, 0.99, 1.0].map(|share| sketch.quantile(share));
    assert!(quantiles.is_sorted(), "quantiles grow with their share: {quantiles:?}");
    assert_eq!(quantiles[0].is_some(), sketch.count() > 0, "a sketch with durations has quantiles");
}

/// Returns twice the number of a sketch's durations, up to the largest number.
fn twice(sketch: &Sketch) -> u64 {
    sketch.count().saturating_mul(2)
}

/// Reads the stored document of a sample, both compressed and as JSON. It is read as it was written.
pub fn sample_document(data: &[u8]) {
    let _: Option<SampleDocument> = unpack(data).ok();
    let Ok(packed) = pack(data) else { return };
    let Ok(document) = unpack::<SampleDocument>(&packed) else { return };
    let json = to_json(&document);
    let again: SampleDocument = pack(&json).and_then(|packed| unpack(&packed)).expect("a written document is read");
    assert_eq!(again, document, "a document is read as it was written");
}
