//! Reads the requests of agents from the wire, and counts their content.

use std::collections::BTreeSet;
use std::io::{self, BufRead};

use flate2::read::ZlibDecoder;
use serde_json::Value;

/// The number of transactions and child spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub transactions: u64,
    pub spans: u64,
}

/// One received request.
#[derive(Debug)]
pub(crate) struct Posted {
    path: String,
    key: String,
    body: Vec<u8>,
}

/// Reads a request. Returns `None` if the client has closed the connection.
pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Posted>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut key, mut length) = (String::new(), 0);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "idempotency-key" => value.trim().clone_into(&mut key),
            "content-length" => length = value.trim().parse().unwrap_or(0),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Posted { path, key, body }))
}

/// Counts the posted data. Repeated deliveries count once.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    keys: BTreeSet<String>,
    delivered: Delivered,
}

impl Tally {
    /// Adds requests. Returns the totals since the start.
    pub(crate) fn add(&mut self, posted: Vec<Posted>) -> Delivered {
        for Posted { path, key, body } in posted {
            if path.ends_with("/transactions/") && self.keys.insert(key) {
                self.count(&body);
            } else if path == "/v1/metrics" {
                self.count_points(&body);
            }
        }
        self.delivered
    }

    /// Counts the transactions in the histograms of OTLP.
    fn count_points(&mut self, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).expect("the benchmark exports JSON");
        let metrics = &body["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
        let points =
            metrics.as_array().into_iter().flatten().filter_map(|metric| metric["histogram"]["dataPoints"].as_array());
        let count = |point: &Value| point["count"].as_str().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
        self.delivered.transactions += points.flatten().map(count).sum::<u64>();
    }

    fn count(&mut self, body: &[u8]) {
        let body: Value = serde_json::from_reader(ZlibDecoder::new(body)).expect("agents send deflated JSON");
        let entries = |key: &str| body[key].as_array().cloned().unwrap_or_default();
        let durations = |group: &Value| group["durations"].as_array().map_or(0, Vec::len) as u64;
        self.delivered.transactions += entries("transactions").iter().map(durations).sum::<u64>();
        // Only samples contain spans. The breakdown counts all spans, and `app` once per transaction.
        let breakdown = entries("breakdown");
        let spans = breakdown.iter().filter(|group| group["kind"] != "app");
        self.delivered.spans += spans.filter_map(|group| group["count"].as_u64()).sum::<u64>();
    }
}
