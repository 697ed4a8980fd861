//! The answers to all bodies, and what the accepted ones contain.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::bodies::{Content, GROUPS, NAMES, durations_of, traces_of};
use crate::api::{Api, pause};

/// The largest step of the clock in one direction, with a day to spare.
const DAYS: i64 = 4;

/// The number of failures that are kept to be printed.
const KEPT: usize = 10;

/// Counts of everything that the load sends. All clients share it.
#[derive(Debug)]
pub(crate) struct Tally {
    start: Instant,
    accepted: AtomicU64,
    errors: Vec<AtomicU64>,
    durations: AtomicU64,
    /// The bodies of spans, by the name of their first trace.
    spans: Vec<AtomicU64>,
    probes: AtomicU64,
    /// Whether bodies may be answered 503 now, and whether nothing disturbs the servers.
    may_refuse: AtomicBool,
    is_calm: AtomicBool,
    rest: Mutex<Rest>,
}

#[derive(Debug, Default)]
struct Rest {
    /// The numbers of refusals by status, and of connections that ended without an answer.
    refused: BTreeMap<u16, u64>,
    unanswered: u64,
    /// Refusals that no fault explains.
    failures: Vec<String>,
    failure_count: u64,
    /// The microseconds from a body to its 202, and from the 202 of a probe to its being visible, without a fault and
    /// with one.
    calm: Vec<u32>,
    disturbed: Vec<u32>,
    shown_calm: Vec<u32>,
    shown_disturbed: Vec<u32>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        let zeros = |count: usize| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            start: Instant::now(),
            accepted: AtomicU64::new(0),
            errors: zeros(GROUPS),
            durations: AtomicU64::new(0),
            spans: zeros(NAMES),
            probes: AtomicU64::new(0),
            may_refuse: AtomicBool::new(false),
            is_calm: AtomicBool::new(true),
            rest: Mutex::default(),
        }
    }

    /// Returns the time since the start of the run.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Returns the number of accepted bodies.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Counts a body that was accepted after a time.
    pub(crate) fn accept(&self, content: Content, time: Duration) {
        let counter = match content {
            Content::Error(group) => &self.errors[group],
            Content::Durations => &self.durations,
            Content::Spans(first) => &self.spans[first],
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.accepted.fetch_add(1, Ordering::Relaxed);
        let mut rest = self.rest.lock().unwrap();
        if self.is_calm() { rest.calm.push(micros(time)) } else { rest.disturbed.push(micros(time)) }
    }

    /// Counts an accepted probe.
    pub(crate) fn accept_probe(&self) {
        self.probes.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a probe that the API has after a time, in which no fault was if `is_calm`.
    pub(crate) fn show_probe(&self, time: Duration, is_calm: bool) {
        let mut rest = self.rest.lock().unwrap();
        if is_calm { rest.shown_calm.push(micros(time)) } else { rest.shown_disturbed.push(micros(time)) }
    }

    /// Counts a connection that ended without an answer.
    pub(crate) fn miss(&self) {
        self.rest.lock().unwrap().unanswered += 1;
    }

    /// Counts a refusal. Returns whether the body is to be sent again.
    pub(crate) fn refuse(&self, status: u16, text: &[u8]) -> bool {
        let is_expected = status == 503 && self.may_refuse.load(Ordering::Relaxed);
        let mut rest = self.rest.lock().unwrap();
        *rest.refused.entry(status).or_default() += 1;
        if !is_expected {
            rest.failure_count += 1;
            if rest.failures.len() < KEPT {
                let text = String::from_utf8_lossy(&text[..text.len().min(200)]).into_owned();
                rest.failures.push(format!("after {:.1} s: {status}: {text}", self.elapsed().as_secs_f64()));
            }
        }
        status == 503
    }

    /// Sets whether bodies may be refused with 503.
    pub(crate) fn allow_refusals(&self, may_refuse: bool) {
        self.may_refuse.store(may_refuse, Ordering::Relaxed);
    }

    /// Sets whether nothing disturbs the servers.
    pub(crate) fn set_calm(&self, is_calm: bool) {
        self.is_calm.store(is_calm, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.is_calm.load(Ordering::Relaxed)
    }

    /// Returns the refusals that no fault explains.
    pub(crate) fn failures(&self) -> (u64, Vec<String>) {
        let rest = self.rest.lock().unwrap();
        (rest.failure_count, rest.failures.clone())
    }

    /// Returns the lines of the report on the answers.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut rest = self.rest.lock().unwrap();
        let of = |status: u16| rest.refused.get(&status).copied().unwrap_or_default();
        let others: u64 = rest.refused.iter().filter(|(status, _)| !matches!(status, 429 | 503)).map(|(_, n)| n).sum();
        let (full, limited, unanswered) = (of(503), of(429), rest.unanswered);
        let (probes, accepted) = (self.probes.load(Ordering::Relaxed), self.accepted());
        let mut lines = vec![
            "| answer | bodies |".to_owned(),
            "|---|---|".to_owned(),
            format!("| 202, or 200 of OTLP | {accepted} and {probes} probes |"),
            format!("| 503, sent again | {full} |"),
            format!("| 429 | {limited} |"),
            format!("| another status | {others} |"),
            format!("| none, sent again | {unanswered} |"),
            String::new(),
            "| time | p50, ms | p99, ms | longest, ms | measured |".to_owned(),
            "|---|---|---|---|---|".to_owned(),
        ];
        let Rest { calm, disturbed, shown_calm, shown_disturbed, .. } = &mut *rest;
        for (name, times) in [
            ("to the 202, without a fault", calm),
            ("to the 202, during and just after a fault", disturbed),
            ("from the 202 to visible, without a fault", shown_calm),
            ("from the 202 to visible, during and just after a fault", shown_disturbed),
        ] {
            lines.push(format!("| {name} | {} |", line_of(times)));
        }
        lines
    }

    /// Returns the counts that the API must have: of errors by type, and of transactions by name with their sums in
    /// milliseconds.
    fn expected(&self) -> Counts {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut expected = Counts::default();
        for (group, counter) in self.errors.iter().enumerate() {
            expected.errors.insert(format!("Error{group}"), value(counter));
        }
        expected.errors.insert("Probe".to_owned(), value(&self.probes));
        for name in 0..NAMES {
            let (count, sum) = durations_of(name);
            let bodies = value(&self.durations);
            expected.transactions.insert(format!("work {name}"), (bodies * count, bodies * sum));
            let traces = self.spans.iter().enumerate().map(|(first, bodies)| {
                let (count, sum) = traces_of(first, name);
                (value(bodies) * count, value(bodies) * sum)
            });
            let traces = traces.fold((0, 0), |sum, next| (sum.0 + next.0, sum.1 + next.1));
            expected.transactions.insert(format!("GET /orders/{name}"), traces);
        }
        expected.errors.retain(|_, count| *count > 0);
        expected.transactions.retain(|_, (count, _)| *count > 0);
        expected
    }

    /// Waits until the API has the counts of the accepted bodies. Returns the differences that are left after a time.
    pub(crate) async fn differences(&self, api: &Api, within: Duration) -> Vec<String> {
        let deadline = Instant::now() + within;
        loop {
            let differences = self.expected().differences(&Counts::of(api).await);
            if differences.is_empty() || Instant::now() > deadline {
                return differences;
            }
            pause().await;
        }
    }

    /// Returns the numbers of errors and of transactions that the API must have.
    pub(crate) fn events(&self) -> (u64, u64) {
        let expected = self.expected();
        (expected.errors.values().sum(), expected.transactions.values().map(|(count, _)| count).sum())
    }
}

/// The counts of errors by type, and the counts and sums of transactions by name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    errors: BTreeMap<String, u64>,
    transactions: BTreeMap<String, (u64, u64)>,
}

impl Counts {
    async fn of(api: &Api) -> Self {
        let app = "/api/v2/organizations/acme/apps/shop";
        let (mut counts, now, days) = (Self::default(), Timestamp::now(), SignedDuration::from_hours(24 * DAYS));
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        for error in api.list(&format!("{app}/errors/"), "errors").await {
            let mut name = text(&error["type_name"]);
            // Each probe has a group of its own.
            if name.starts_with("Probe") {
                "Probe".clone_into(&mut name);
            }
            *counts.errors.entry(name).or_default() += error["times_seen"].as_u64().unwrap();
        }
        let range = format!("from={}&to={}", now - days, now + days);
        for transaction in api.list(&format!("{app}/transactions/?{range}"), "transactions").await {
            let sum = transaction["total_ms"].as_f64().unwrap().round() as u64;
            counts.transactions.insert(text(&transaction["name"]), (transaction["count"].as_u64().unwrap(), sum));
        }
        counts
    }

    fn differences(&self, stored: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        compare(&self.errors, &stored.errors, &mut differences);
        compare(&self.transactions, &stored.transactions, &mut differences);
        differences
    }
}

fn compare<V: PartialEq + std::fmt::Debug>(
    accepted: &BTreeMap<String, V>,
    stored: &BTreeMap<String, V>,
    differences: &mut Vec<String>,
) {
    for name in accepted.keys().chain(stored.keys().filter(|name| !accepted.contains_key(*name))) {
        let (accepted, stored) = (accepted.get(name), stored.get(name));
        if accepted != stored {
            differences.push(format!("{name}: accepted {accepted:?}, stored {stored:?}"));
        }
    }
}

/// Returns percentiles of times in microseconds, as columns in milliseconds.
fn line_of(times: &mut [u32]) -> String {
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
        times.get(index).map_or(0.0, |micros| f64::from(*micros) / 1e3)
    };
    let count = times.len();
    format!("{:.1} | {:.1} | {:.0} | {count}", at(0.5), at(0.99), at(1.0))
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
