//! Documents: values that the store reads and writes as a whole, as JSON compressed with zlib.

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
pub(crate) struct SampleDocument {
    /// The spans in the order of their start, parents before their children; without the root.
    pub(crate) spans: Vec<SampleSpan>,
    /// The context of this one transaction: request, user, tags, extra values.
    pub(crate) context: SampleContext,
}

/// One span of a sampled transaction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SampleSpan {
    /// The span's short name, such as `SELECT FROM books`.
    pub(crate) signature: String,
    /// The kind, such as `db.sqlite.query`.
    pub(crate) kind: String,
    /// The number of spans that contain it.
    pub(crate) depth: usize,
    /// The time from the transaction's start to the span's start, in milliseconds.
    pub(crate) start_ms: f64,
    /// The duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Extra values such as `sql` and `url`.
    #[serde(default)]
    pub(crate) extra: Map<String, Value>,
    /// The stack that it was started from, the oldest call first. The worker leaves it empty, since it stores stacks by
    /// kind and signature ([`NewSpanStack`](super::changes::NewSpanStack)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) frames: Vec<Frame>,
}

/// Inflated bytes: a larger document is damaged, since intake limits bodies to far less.
const MAX_INFLATED: u64 = 64 << 20;

/// Writes a document as compressed JSON.
pub(super) fn pack<T: Serialize>(document: &T) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut encoder, document)?;
    encoder.flush()?;
    encoder.finish()
}

/// Reads a document from compressed JSON.
pub(super) fn unpack<T: DeserializeOwned>(packed: &[u8]) -> io::Result<T> {
    let inflated = ZlibDecoder::new(packed).take(MAX_INFLATED);
    Ok(serde_json::from_reader(io::BufReader::new(inflated))?)
}
