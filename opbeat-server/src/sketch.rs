//! A mergeable sketch of durations, which estimates quantiles within 1 % of the true value.
//!
//! The sketch counts values in buckets whose bounds grow by a constant factor, as in *DDSketch: a fast and
//! fully-mergeable quantile sketch with relative-error guarantees* (Masson, Rim, Lee; VLDB 2019). Merging adds counts:
//! the merged sketches of minutes or machines equal the sketch of all their values, in any order of merging.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The largest error of an estimated quantile, relative to the true value.
pub(crate) const RELATIVE_ERROR: f64 = 0.01;

/// The ratio of consecutive bounds. A bucket's middle is within [`RELATIVE_ERROR`] of all values in the bucket.
const GAMMA: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);

/// Milliseconds: a nanosecond. Smaller values count as this one, since shorter durations cannot be measured.
const MIN_VALUE: f64 = 1e-6;

/// Milliseconds: about 31 years. Larger values count as this one.
const MAX_VALUE: f64 = 1e12;

/// Counts of durations in buckets by size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sketch {
    buckets: BTreeMap<i32, u64>,
}

impl Sketch {
    /// Adds a duration in milliseconds. NaN counts as zero.
    pub(crate) fn insert(&mut self, milliseconds: f64) {
        let count = self.buckets.entry(bucket_of(milliseconds)).or_default();
        *count = count.saturating_add(1);
    }

    /// Adds the durations of another sketch.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            let total = self.buckets.entry(*bucket).or_default();
            *total = total.saturating_add(*count);
        }
    }

    /// Returns the buckets that have durations, with their counts. The bucket `i` contains the durations in (γ^(i−1), γ^i].
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.buckets.iter().map(|(bucket, count)| (*bucket, *count))
    }

    /// Returns the number of durations.
    #[must_use]
    pub(crate) fn count(&self) -> u64 {
        self.buckets.values().fold(0, |all, count| all.saturating_add(*count))
    }

    /// Returns the duration in milliseconds that a share of all durations, from 0 to 1, does not exceed.
    ///
    /// The result is within [`RELATIVE_ERROR`] of the value at that rank. It is `None` if the sketch is empty.
    #[must_use]
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let last_rank = self.count().checked_sub(1)?;
        // The nearest rank: of three durations, the longest is the 99th percentile.
        let rank = ((share.clamp(0.0, 1.0) * self.count() as f64).ceil() as u64).saturating_sub(1).min(last_rank);
        let mut below = 0_u64;
        let reached = self.buckets.iter().find(|(_, count)| {
            below = below.saturating_add(**count);
            below > rank
        });
        reached.map(|(bucket, _)| middle_of(*bucket))
    }

    /// Encodes the sketch: for each bucket its distance to the one before and its count, as LEB128 varints.
    #[must_use]
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.buckets.len() * 2 + 4);
        let mut last = bucket_of(0.0);
        for (bucket, count) in &self.buckets {
            push_varint(&mut bytes, u64::from(bucket.abs_diff(last)));
            push_varint(&mut bytes, *count);
            last = *bucket;
        }
        bytes
    }

    /// Decodes the result of [`encode`](Self::encode). Returns `None` if the bytes are damaged.
    #[must_use]
    pub(crate) fn decode(mut bytes: &[u8]) -> Option<Self> {
        let mut buckets = BTreeMap::new();
        let mut last = bucket_of(0.0);
        while !bytes.is_empty() {
            let distance = i32::try_from(take_varint(&mut bytes)?).ok()?;
            last = last.checked_add(distance)?;
            buckets.insert(last, take_varint(&mut bytes)?);
        }
        Some(Self { buckets })
    }
}

impl FromIterator<f64> for Sketch {
    fn from_iter<I: IntoIterator<Item = f64>>(milliseconds: I) -> Self {
        let mut sketch = Self::default();
        milliseconds.into_iter().for_each(|value| sketch.insert(value));
        sketch
    }
}

/// Returns the bucket `i` that contains the values in (γ^(i−1), γ^i].
fn bucket_of(milliseconds: f64) -> i32 {
    let value = if milliseconds.is_nan() { MIN_VALUE } else { milliseconds.clamp(MIN_VALUE, MAX_VALUE) };
    (value.ln() / GAMMA.ln()).ceil() as i32
}

/// Returns the value with the same relative distance to both bounds of a bucket.
fn middle_of(bucket: i32) -> f64 {
    2.0 * GAMMA.powi(bucket) / (GAMMA + 1.0)
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merged_sketch_contains_the_durations_of_both() {
        let mut sketch: Sketch = (1..=100).map(f64::from).collect();
        sketch.merge(&[1_000.0].into_iter().collect());
        let median = sketch.quantile(0.5).unwrap();
        assert!((median - 51.0).abs() <= 0.51);
    }

    /// Returns the value at the rank that `quantile` looks for, by sorting.
    fn exact(values: &mut [f64], share: f64) -> f64 {
        values.sort_by(f64::total_cmp);
        values[((share * values.len() as f64).ceil() as usize).max(1) - 1]
    }

    #[test]
    fn quantiles_stay_within_the_stated_error() {
        let mut values: Vec<f64> = (0..10_000).map(|i| 0.01 * 1.001_f64.powi(i)).collect();
        let sketch: Sketch = values.iter().copied().collect();
        for share in [0.0, 0.01, 0.5, 0.95, 0.99, 0.999, 1.0] {
            let (answer, truth) = (sketch.quantile(share).unwrap(), exact(&mut values, share));
            assert!((answer - truth).abs() <= truth * RELATIVE_ERROR * 1.000_001, "{share}: {answer} for {truth}");
        }
    }

    #[test]
    fn merged_parts_equal_the_whole() {
        let values: Vec<f64> = (0..1_000).map(|i| f64::from(i * i % 977) + 0.25).collect();
        let mut merged = Sketch::default();
        for part in values.chunks(7).rev() {
            merged.merge(&part.iter().copied().collect());
        }
        assert_eq!(merged, values.into_iter().collect());
    }

    #[test]
    fn encoding_round_trips() {
        let sketch: Sketch =
            [0.0, -3.0, f64::NAN, 1e-9, 0.2, 17.0, 17.0, 86_400_000.0, f64::INFINITY].into_iter().collect();
        assert_eq!(Sketch::decode(&sketch.encode()), Some(sketch));
        assert_eq!(Sketch::decode(&[]), Some(Sketch::default()));
    }

    #[test]
    fn damaged_bytes_are_not_decoded() {
        assert_eq!(Sketch::decode(&[0x80]), None);
        assert_eq!(Sketch::decode(&[5]), None);
        assert_eq!(Sketch::decode(&[0xff; 20]), None);
    }

    #[test]
    fn an_empty_sketch_has_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.5), None);
    }
}
