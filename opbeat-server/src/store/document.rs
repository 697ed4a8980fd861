//! Documents: parts of the store that are read and written whole, as JSON in zlib.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use opbeat_protocol::{Frame, SampleContext};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One sampled transaction, as the waterfall shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleDocument {
    /// The spans in the order of their start, parents before their children; the root is left out.
    pub spans: Vec<SampleSpan>,
    /// What is known of this very transaction.
    pub context: SampleContext,
}

/// One span of a sampled transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SampleSpan {
    /// The span's short name, such as `SELECT FROM books`.
    pub signature: String,
    /// The kind, such as `db.sqlite.query`.
    pub kind: String,
    /// How many spans it lies within.
    pub depth: usize,
    /// Milliseconds after the transaction's start.
    pub start_ms: f64,
    /// Milliseconds.
    pub duration_ms: f64,
    /// Facts such as `sql` and `url`.
    #[serde(default)]
    pub extra: Map<String, Value>,
    /// The stack it was started from, oldest call first, if the agent sent it with this body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frames: Vec<Frame>,
}

/// Documents beyond this are damaged: intake caps bodies far below it.
const MAX_INFLATED: u64 = 64 << 20;

/// Packs a document.
pub(super) fn pack<T: Serialize>(document: &T) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut encoder, document)?;
    encoder.flush()?;
    encoder.finish()
}

/// Unpacks a document.
pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> io::Result<T> {
    let inflated = ZlibDecoder::new(packed).take(MAX_INFLATED);
    Ok(serde_json::from_reader(io::BufReader::new(inflated))?)
}
