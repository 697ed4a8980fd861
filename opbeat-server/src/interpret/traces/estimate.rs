//! The breakdown of all transactions, estimated from the sampled ones.

use std::collections::BTreeMap;

use super::breakdown::Breakdown;
use super::groups::APP;
use crate::changes::{SelfTime, TransactionKey};
use crate::interpret::context::BodyContext;

/// The steps of the duration, in milliseconds, of each of which Node.js samples one transaction per interval.
const STEP_MS: f64 = 15.0;

/// The time by kind of a sampled transaction.
pub(super) struct Profile<'g> {
    /// The transaction's duration in milliseconds.
    pub(super) duration_ms: f64,
    /// Its self time by kind of span.
    pub(super) parts: BTreeMap<&'g str, SelfTime>,
}

/// The samples of each transaction.
pub(super) type Profiles<'g> = BTreeMap<TransactionKey, Vec<Profile<'g>>>;

/// The transactions that a sample stands for: their number, and the sum of their durations in milliseconds.
type Represented = BTreeMap<usize, (u64, f64)>;

/// Adds the breakdown of all durations of a body. Each one counts with the shares of the sample that represents it.
pub(super) fn add(body: &BodyContext<'_>, mut profiles: Profiles<'_>, breakdown: &mut Breakdown<'_>) {
    for samples in profiles.values_mut() {
        samples.sort_by(|a, b| a.duration_ms.total_cmp(&b.duration_ms));
    }
    let mut minutes: BTreeMap<(&TransactionKey, i64), Represented> = BTreeMap::new();
    for counted in body.all_counted() {
        let Some(samples) = profiles.get(&counted.key) else { continue };
        let represented = minutes.entry((&counted.key, counted.minute.seconds())).or_default();
        for duration in &counted.group.durations {
            let (count, sum_ms) = represented.entry(representative(samples, *duration)).or_default();
            *count += 1;
            *sum_ms += duration;
        }
    }
    for ((key, minute), represented) in minutes {
        let samples = &profiles[key];
        let mut parts: BTreeMap<&str, SelfTime> = BTreeMap::new();
        for (index, (count, sum_ms)) in &represented {
            add_scaled(&mut parts, &samples[*index], *count, *sum_ms);
        }
        // If each transaction has its own sample, nothing is estimated.
        let is_own = |(index, (count, sum_ms)): (&usize, &(u64, f64))| {
            *count == 1 && samples[*index].duration_ms.to_bits() == sum_ms.to_bits()
        };
        let is_exact = represented.iter().all(is_own);
        breakdown.add(key, minute, &parts, if is_exact { 0 } else { represented.len() as u64 });
    }
}

/// Returns the index of the sample that is the most similar: of the same step if there is one, and with the nearest
/// duration.
fn representative(samples: &[Profile<'_>], duration: f64) -> usize {
    let next = samples.partition_point(|sample| sample.duration_ms < duration);
    let step = |duration: f64| (duration / STEP_MS).floor();
    let rank = |index: &usize| {
        let sample = samples[*index].duration_ms;
        (step(sample) != step(duration), (sample - duration).abs())
    };
    let neighbours = [next.checked_sub(1), Some(next).filter(|next| *next < samples.len())];
    let by_rank = |a: &usize, b: &usize| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    neighbours.into_iter().flatten().min_by(by_rank).unwrap_or(0)
}

/// Adds a sample's parts, scaled to the durations of all transactions that it stands for.
fn add_scaled<'g>(parts: &mut BTreeMap<&'g str, SelfTime>, sample: &Profile<'g>, count: u64, sum_ms: f64) {
    if sample.duration_ms <= 0.0 {
        parts.entry(APP).or_default().merge(SelfTime { count, self_ms: sum_ms, samples: 0 });
        return;
    }
    let scale = sum_ms / sample.duration_ms;
    for (kind, part) in &sample.parts {
        let scaled = SelfTime { count: part.count.saturating_mul(count), self_ms: part.self_ms * scale, samples: 0 };
        parts.entry(*kind).or_default().merge(scaled);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_represented_by_a_sample_of_its_own_step_first() {
        let samples: Vec<Profile<'_>> =
            [1.0, 16.0, 90.0].map(|duration_ms| Profile { duration_ms, parts: BTreeMap::new() }).into();
        let expected = [(0.0, 0), (1.0, 0), (14.0, 0), (15.0, 1), (29.0, 1), (50.0, 1), (60.0, 2), (1e9, 2)];
        for (duration, index) in expected {
            assert_eq!(representative(&samples, duration), index, "{duration}");
        }
    }
}
