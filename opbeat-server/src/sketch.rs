//! A mergeable sketch of durations, which estimates quantiles within 1 % of the true value.
//!
//! The sketch counts values in buckets whose bounds grow by a constant factor, as in *DDSketch: a fast and
//! fully-mergeable quantile sketch with relative-error guarantees* (Masson, Rim, Lee; VLDB 2019). Merging adds counts:
//! the merged sketches of minutes or machines equal the sketch of all their values, in any order of merging.

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
#[serde(try_from = "Buckets")]
pub(crate) struct Sketch {
    /// In ascending order. A sketch has some tens of buckets: a list of them is decoded and merged without an allocation for each.
    buckets: Vec<(i32, u64)>,
}

/// The buckets of an encoded sketch, in any order.
#[derive(Deserialize)]
struct Buckets {
    buckets: Vec<(i32, u64)>,
}

impl TryFrom<Buckets> for Sketch {
    type Error = &'static str;

    fn try_from(Buckets { buckets }: Buckets) -> Result<Self, Self::Error> {
        let is_ascending = buckets.is_sorted_by(|(one, _), (next, _)| one < next);
        if is_ascending { Ok(Self { buckets }) } else { Err("the buckets of a sketch are not in order") }
    }
}

impl Sketch {
    /// Adds a duration in milliseconds. NaN counts as zero.
    pub(crate) fn insert(&mut self, milliseconds: f64) {
        self.add(bucket_of(milliseconds), 1, 0);
    }

    /// Adds the durations of another sketch.
    pub(crate) fn merge(&mut self, other: &Self) {
        let mut next = 0;
        for (bucket, count) in &other.buckets {
            next = self.add(*bucket, *count, next) + 1;
        }
    }

    /// Adds durations of a bucket that is not before a position. Returns its position.
    fn add(&mut self, bucket: i32, count: u64, from: usize) -> usize {
        let later = &self.buckets[from..];
        let at = from + later.partition_point(|(known, _)| *known < bucket);
        match self.buckets.get_mut(at) {
            Some((known, total)) if *known == bucket => *total = total.saturating_add(count),
            _ => self.buckets.insert(at, (bucket, count)),
        }
        at
    }

    /// Returns the buckets that have durations, with their counts. The bucket `i` contains the durations in (γ^(i−1), γ^i].
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (i32, u64)> + '_ {
        self.buckets.iter().copied()
    }

    /// Returns the number of durations.
    #[must_use]
    pub(crate) fn count(&self) -> u64 {
        self.buckets.iter().fold(0, |all, (_, count)| all.saturating_add(*count))
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
            below = below.saturating_add(*count);
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
        // Most buckets take two bytes.
        let mut buckets = Vec::with_capacity(bytes.len() / 2);
        let mut last = bucket_of(0.0);
        while !bytes.is_empty() {
            let distance = i32::try_from(take_varint(&mut bytes)?).ok()?;
            if distance == 0 && !buckets.is_empty() {
                return None;
            }
            last = last.checked_add(distance)?;
            buckets.push((last, take_varint(&mut bytes)?));
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
        assert_eq!(Sketch::decode(&[3, 1, 0, 1]), None, "the same bucket twice");
        let disordered = postcard::to_stdvec(&(2_u32, [(7, 1_u64), (3, 1)].map(|bucket: (i32, u64)| bucket))).unwrap();
        assert!(postcard::from_bytes::<Sketch>(&disordered).is_err());
    }

    #[test]
    fn an_empty_sketch_has_no_quantile() {
        assert_eq!(Sketch::default().quantile(0.5), None);
    }
}
