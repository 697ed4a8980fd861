//! From the durations of all transactions to histograms.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use super::messages::{ExportMetrics, Histogram, HistogramPoint, Metric, ResourceMetrics, ScopeMetrics, Temporality};
use super::request_attributes::Role;
use super::series::{BOUNDS, Buckets, SeriesKey};
use super::source::{SCHEMA_URL, Source};
use super::time::nanos;
use crate::pipeline::Batch;
use crate::record::Drops;

/// The largest number of groups in one request.
const MAX_GROUPS: usize = 1_000;

/// The largest number of series that are kept for cumulative points, as in OpenTelemetry's SDKs. Further ones are
/// counted together.
const MAX_SERIES: usize = 2_000;

/// The time after which all cumulative series are sent, and not only the changed ones: a receiver may take a series
/// without points for ended.
const ALL_INTERVAL: Duration = Duration::from_secs(60);

const MINUTE: u64 = 60_000_000_000;

/// Makes histograms, and keeps what their next points depend on.
pub(super) struct Histograms {
    temporality: Temporality,
    /// When this process began to count.
    started: u64,
    /// The end of the last delta point.
    last: u64,
    /// The sums since the start, if points are cumulative.
    sums: BTreeMap<SeriesKey, Buckets>,
    all_sent_at: Option<Instant>,
}

/// One request, and the number of the batch's first groups that it contains.
pub(super) struct MetricChunk {
    pub(super) message: ExportMetrics,
    groups: usize,
    added: BTreeMap<SeriesKey, Buckets>,
    last: u64,
    has_all: bool,
}

impl Histograms {
    pub(super) fn new(temporality: Temporality) -> Self {
        let started = nanos(SystemTime::now());
        Self { temporality, started, last: started, sums: BTreeMap::new(), all_sent_at: None }
    }

    /// Makes the next request. Returns `None` if no durations are left.
    pub(super) fn next(&self, batch: &Batch, source: &Source) -> Option<MetricChunk> {
        let groups = batch.durations.len().min(MAX_GROUPS);
        if groups == 0 {
            return None;
        }
        let mut minutes: BTreeMap<u64, BTreeMap<SeriesKey, Buckets>> = BTreeMap::new();
        for group in &batch.durations[..groups] {
            let minute = match self.temporality {
                Temporality::Delta => nanos(group.minute),
                _ => 0,
            };
            let series = minutes.entry(minute).or_default().entry(SeriesKey::of(group)).or_default();
            series.add_all(&group.milliseconds);
        }
        let now = nanos(SystemTime::now());
        let mut chunk = MetricChunk {
            message: ExportMetrics::default(),
            groups,
            added: BTreeMap::new(),
            last: self.last,
            has_all: false,
        };
        let points = match self.temporality {
            Temporality::Delta => delta_points(&minutes, now, &mut chunk.last),
            _ => {
                chunk.added = minutes.remove(&0).unwrap_or_default();
                self.cumulative_points(&mut chunk, now)
            }
        };
        chunk.message = self.message(points, source);
        Some(chunk)
    }

    /// Notes that the receiver accepted a request.
    pub(super) fn commit(&mut self, chunk: MetricChunk) {
        self.last = chunk.last;
        if chunk.has_all {
            self.all_sent_at = Some(Instant::now());
        }
        for (key, buckets) in chunk.added {
            self.sums.entry(key).or_default().add(&buckets);
        }
    }

    /// Returns the sums since the start: of the series that the request changes, or of all if that is due.
    fn cumulative_points(&self, chunk: &mut MetricChunk, now: u64) -> Vec<(Role, HistogramPoint)> {
        let mut added: BTreeMap<SeriesKey, Buckets> = BTreeMap::new();
        let mut new = 0;
        for (key, buckets) in std::mem::take(&mut chunk.added) {
            let is_new = !self.sums.contains_key(&key);
            let is_surplus = is_new && self.sums.len() + new >= MAX_SERIES;
            new += usize::from(is_new);
            let key = if is_surplus { SeriesKey::Overflow(key.role()) } else { key };
            added.entry(key).or_default().add(&buckets);
        }
        chunk.has_all = self.all_sent_at.is_none_or(|at| at.elapsed() >= ALL_INTERVAL);
        let mut sent = if chunk.has_all { self.sums.clone() } else { BTreeMap::new() };
        for (key, buckets) in &added {
            let sum = sent.entry(key.clone()).or_insert_with(|| self.sums.get(key).cloned().unwrap_or_default());
            sum.add(buckets);
        }
        chunk.added = added;
        let end = now.max(self.started + 1);
        sent.iter().map(|(key, buckets)| (key.role(), point(key, buckets, self.started, end))).collect()
    }

    fn message(&self, points: Vec<(Role, HistogramPoint)>, source: &Source) -> ExportMetrics {
        let mut metrics: BTreeMap<Role, Vec<HistogramPoint>> = BTreeMap::new();
        for (role, point) in points {
            metrics.entry(role).or_default().push(point);
        }
        let metrics = metrics.into_iter().map(|(role, data_points)| self.metric(role, data_points)).collect();
        let scope = ScopeMetrics { scope: Some(source.scope.clone()), metrics };
        let resource = ResourceMetrics {
            resource: Some(source.resource.clone()),
            scope_metrics: vec![scope],
            schema_url: SCHEMA_URL.to_owned(),
        };
        ExportMetrics { resource_metrics: vec![resource] }
    }

    fn metric(&self, role: Role, data_points: Vec<HistogramPoint>) -> Metric {
        let (name, description) = match role {
            Role::Request => ("http.server.request.duration", "Duration of HTTP server requests."),
            Role::Call => ("rpc.server.call.duration", "Duration of inbound calls."),
            Role::Job => ("opbeat.job.duration", "Duration of jobs."),
        };
        Metric {
            name: name.to_owned(),
            description: description.to_owned(),
            unit: "s".to_owned(),
            histogram: Some(Histogram { data_points, aggregation_temporality: self.temporality.into() }),
        }
    }
}

impl MetricChunk {
    /// Removes the durations from the batch. Returns their number.
    pub(super) fn remove_from(&self, batch: &mut Batch) -> Drops {
        let groups = batch.durations.drain(..self.groups);
        let transactions = groups.map(|group| group.milliseconds.len() as u64).sum();
        Drops { transactions, rejected: 1, ..Drops::default() }
    }
}

/// Returns the points of each minute. Their times follow each other and do not overlap.
///
/// Transactions are counted in the minute of their start, and an outage delays them. A point therefore covers the part
/// of its minute that no earlier point covers, and a nanosecond if no part is left.
fn delta_points(
    minutes: &BTreeMap<u64, BTreeMap<SeriesKey, Buckets>>,
    now: u64,
    last: &mut u64,
) -> Vec<(Role, HistogramPoint)> {
    let mut points = Vec::new();
    for (minute, series) in minutes {
        let start = (*last).max(*minute);
        let end = minute.saturating_add(MINUTE).min(now).max(start + 1);
        *last = end;
        points.extend(series.iter().map(|(key, buckets)| (key.role(), point(key, buckets, start, end))));
    }
    points
}

fn point(key: &SeriesKey, buckets: &Buckets, start: u64, end: u64) -> HistogramPoint {
    HistogramPoint {
        attributes: key.attributes(),
        start_time_unix_nano: start,
        time_unix_nano: end,
        count: buckets.count,
        sum: Some(buckets.sum),
        bucket_counts: buckets.counts.to_vec(),
        explicit_bounds: BOUNDS.to_vec(),
        min: buckets.range.map(|(min, _)| min),
        max: buckets.range.map(|(_, max)| max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: u64) -> (u64, BTreeMap<SeriesKey, Buckets>) {
        (number * MINUTE, BTreeMap::from([(SeriesKey::Overflow(Role::Job), Buckets::default())]))
    }

    #[test]
    fn times_of_delta_points_follow_each_other() {
        let mut last = 5 * MINUTE + 10;
        let minutes = BTreeMap::from([minute(3), minute(5), minute(6), minute(7)]);
        let points = delta_points(&minutes, 7 * MINUTE + 20, &mut last);
        let times: Vec<_> =
            points.iter().map(|(_, point)| (point.start_time_unix_nano, point.time_unix_nano)).collect();
        let start = 5 * MINUTE + 10;
        assert_eq!(
            times,
            [(start, start + 1), (start + 1, 6 * MINUTE), (6 * MINUTE, 7 * MINUTE), (7 * MINUTE, 7 * MINUTE + 20),]
        );
        assert_eq!(last, 7 * MINUTE + 20);
    }
}
