//! The spans of queries and calls that a batch contains, by transaction and minute.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::SpanFamily;
use super::sum::{Seen, Share, SpanSum, divide};
use crate::changes::{Changes, NewSample, NewSpan, SelfTime, TransactionKey};

/// The largest sum of durations in milliseconds, and the largest number of spans, that one document adds.
const MAX_SUM: f64 = 1e12;
const MAX_COUNT: u64 = 1_000_000_000;

/// A kind and a signature.
pub(super) type Name = (String, String);

/// Observed spans by name.
pub(super) type Spans = BTreeMap<Name, Seen>;

/// The queries and calls of a batch.
#[derive(Debug, Default)]
pub(in crate::store) struct Observed {
    /// The sums by app, by minute in seconds since 1970, and by name.
    pub(super) sums: BTreeMap<(String, i64), BTreeMap<Name, SpanSum>>,
    /// The observed spans by transaction and by day, in days since 1970.
    pub(super) callers: BTreeMap<(TransactionKey, i64), Spans>,
    /// The time by transaction, minute and kind of which a body has no span. Spans of other bodies divide it.
    pub(super) undivided: BTreeMap<(TransactionKey, i64, String), SelfTime>,
}

/// The spans of the samples of one body, by name.
#[derive(Default)]
struct OfBody {
    /// Those of all transactions: the agent sends the sums of all.
    whole: Spans,
    /// Those of single samples.
    sampled: Spans,
}

impl Observed {
    /// Adds the samples and the breakdowns of a body as an agent sent them. A document that cannot be read has no spans.
    ///
    /// The result does not depend on the other bodies of a batch, if the agent sends samples and counts together.
    pub(in crate::store) fn add_body(&mut self, changes: &Changes) {
        let mut body: BTreeMap<&TransactionKey, OfBody> = BTreeMap::new();
        let mut wholes: Vec<(&NewSample, Spans)> = Vec::new();
        for sample in &changes.samples {
            let Ok(document) = serde_json::from_slice::<Document>(&sample.document) else { continue };
            let spans = document.spans();
            if spans.is_empty() {
                continue;
            }
            let of_body = body.entry(&sample.transaction).or_default();
            self.add_caller(&sample.transaction, sample.happened_at, &spans);
            let minute = minute_of(sample.happened_at);
            let is_whole = document.average_of > 0;
            let all = if is_whole { &mut of_body.whole } else { &mut of_body.sampled };
            for (name, seen) in &spans {
                all.entry(name.clone()).or_default().merge(seen);
                self.sum(&sample.transaction.app_id, minute, name).observe(seen);
            }
            if is_whole {
                wholes.push((sample, spans));
            }
        }
        let mut counts: BTreeMap<(&TransactionKey, &str), u64> = BTreeMap::new();
        for ((key, minute, kind), self_time) in &changes.breakdowns {
            if SpanFamily::of(kind).is_none() {
                continue;
            }
            let count = counts.entry((key, kind)).or_default();
            *count = count.saturating_add(self_time.count);
            let of_kind = |spans: &Spans| spans.keys().any(|(of, _)| of == kind);
            match body.get(key) {
                Some(of_body) if of_kind(&of_body.whole) => {}
                Some(of_body) if of_kind(&of_body.sampled) => {
                    for (name, sum) in divided(&of_body.sampled, kind, *self_time) {
                        self.sum(&key.app_id, *minute, &name).merge(&sum);
                    }
                }
                _ => self.undivided.entry((key.clone(), *minute, kind.clone())).or_default().merge(*self_time),
            }
        }
        for (sample, spans) in wholes {
            let key = &sample.transaction;
            for (name, seen) in spans {
                // An agent can drop traces, and estimates of the breakdown then count more spans.
                let observed: u64 =
                    body[key].whole.iter().filter(|((of, _), _)| *of == name.0).map(|(_, seen)| seen.count).sum();
                let counted = counts.get(&(key, &*name.0)).copied().unwrap_or(observed);
                let scale = if counted > observed { counted as f64 / observed.max(1) as f64 } else { 1.0 };
                let sum = SpanSum::of(&seen, scale);
                self.sum(&key.app_id, minute_of(sample.happened_at), &name).merge(&sum);
            }
        }
    }

    /// Adds spans that arrived one by one, of a transaction that is counted at a time in microseconds since 1970. All of
    /// its spans arrive in this way.
    pub(in crate::store) fn add(&mut self, key: &TransactionKey, counted_at: i64, spans: &[NewSpan]) {
        let mut all = Spans::new();
        for span in spans.iter().filter(|span| SpanFamily::of(&span.kind).is_some()) {
            let mut seen = Seen { count: 1, sum_ms: bounded(span.duration_ms), ..Seen::default() };
            seen.answer(&serde_json::from_slice(&span.extra).unwrap_or_default());
            all.entry((span.kind.clone(), span.signature.clone())).or_default().merge(&seen);
        }
        self.add_caller(key, counted_at, &all);
        for (name, seen) in &all {
            let sum = self.sum(&key.app_id, minute_of(counted_at), name);
            sum.observe(seen);
            sum.merge(&SpanSum::of(seen, 1.0));
        }
    }

    /// Returns the apps of the spans.
    pub(in crate::store) fn apps(&self) -> impl Iterator<Item = &str> {
        let undivided = self.undivided.keys().map(|(key, ..)| &*key.app_id);
        self.sums.keys().map(|(app_id, _)| &**app_id).chain(undivided)
    }

    fn add_caller(&mut self, key: &TransactionKey, micros: i64, spans: &Spans) {
        if !spans.is_empty() {
            let day = minute_of(micros).div_euclid(86_400);
            let all = self.callers.entry((key.clone(), day)).or_default();
            spans.iter().for_each(|(name, seen)| all.entry(name.clone()).or_default().merge(seen));
        }
    }

    fn sum(&mut self, app_id: &str, minute: i64, name: &Name) -> &mut SpanSum {
        self.sums.entry((app_id.to_owned(), minute)).or_default().entry(name.clone()).or_default()
    }
}

fn minute_of(micros: i64) -> i64 {
    micros.div_euclid(60_000_000).saturating_mul(60)
}

/// Divides the time and the number of a kind's spans in proportion to samples.
fn divided(samples: &Spans, kind: &str, all: SelfTime) -> Vec<(Name, SpanSum)> {
    let of_kind = samples.iter().filter(|((of, _), _)| of == kind);
    let shares = of_kind.map(|(name, seen)| Share { of: name.clone(), count: seen.count as f64, sum_ms: seen.sum_ms });
    divide(shares.collect(), all)
}

impl Seen {
    /// Counts all spans as failed or not, if that is known.
    fn answer(&mut self, facts: &Facts) {
        if let Some(is_failed) = facts.is_failed() {
            self.answered = self.count;
            self.failed = if is_failed { self.count } else { 0 };
        }
    }
}

/// The parts of a sample's document that this looks at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    groups: Vec<Group>,
    spans: Vec<Span>,
    average_of: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Group {
    signature: String,
    kind: String,
    extra: Facts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Span {
    group: usize,
    duration_ms: f64,
    count: u64,
    total_ms: Option<f64>,
    n_plus_one: bool,
}

/// The values of a span by which it failed or not.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Facts {
    error: Value,
    status: Value,
    status_code: Value,
}

impl Facts {
    /// Returns whether the spans failed, if they have a status or an error.
    fn is_failed(&self) -> Option<bool> {
        if !self.error.is_null() {
            return Some(true);
        }
        let number = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        [&self.status, &self.status_code].into_iter().find_map(number).map(|status| status >= 400)
    }
}

impl Document {
    /// Returns the spans of queries and calls by name.
    fn spans(&self) -> Spans {
        let mut spans = Spans::new();
        for span in &self.spans {
            let Some(group) = self.groups.get(span.group).filter(|group| SpanFamily::of(&group.kind).is_some()) else {
                continue;
            };
            let is_average = self.average_of > 0;
            let sum_ms = if is_average {
                span.duration_ms * self.average_of as f64
            } else {
                span.total_ms.unwrap_or(span.duration_ms)
            };
            let count = span.count.clamp(1, MAX_COUNT);
            let mut seen = Seen { count, sum_ms: bounded(sum_ms), ..Seen::default() };
            seen.answer(&group.extra);
            seen.n_plus_one = span.n_plus_one.into();
            let all = spans.entry((group.kind.clone(), group.signature.clone())).or_default();
            all.merge(&seen);
            // A sample counts once for all of its spans with the name.
            all.samples = u64::from(!is_average);
            all.n_plus_one = all.n_plus_one.min(1);
        }
        spans
    }
}

fn bounded(ms: f64) -> f64 {
    if ms.is_nan() { 0.0 } else { ms.clamp(0.0, MAX_SUM) }
}
