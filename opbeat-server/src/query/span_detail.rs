//! One query, or one call of another service: over time, by release, by transaction, and in samples.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::span_list::{average, share};
use super::spans::issuing_line;
use super::time::from_seconds;
use super::transactions::{TransactionIdentity, rollup_span};
use super::{
    AppIdentity, Query, QueryError, Range, ReleaseMark, SampleSummary, Series, SeriesPoint, SpanFamily, SpanSummary,
};
use crate::changes::{SampleDocument, SelfTime, SpanGroup};
use crate::store::read::{SampleSummaryRow, SpanCallerRow, SpanPoint, SpanRow, SpanSums, SpanUseRow};

/// The largest number of transactions that call it.
const MAX_CALLERS: i64 = 25;

/// The number of callers whose samples are looked at, of the latest samples of each, and of the slowest ones among these.
const SAMPLED_CALLERS: usize = 10;
const LATEST_SAMPLES: i64 = 200;
const SLOWEST_SAMPLES: i64 = 3;

/// The number of samples in the list.
const MAX_SAMPLES: usize = 10;

const DAY: i64 = 86_400;

/// A query or a call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SpanDetail {
    /// The columns of lists.
    #[serde(flatten)]
    pub(crate) summary: SpanSummary,
    /// The text of one execution, as an agent sent it: a statement without its values, or a URL.
    pub(crate) text: Option<String>,
    /// Executions over time. They have an average, and no percentiles.
    pub(crate) series: Series,
    /// The executions of each release in the range, the newest first, and of the time before the first one.
    pub(crate) releases: Vec<SpanRelease>,
    /// The transactions that it was observed in, those with the most time first; at most 25.
    pub(crate) callers: Vec<SpanCaller>,
    /// The samples with the most time in it: of the slowest of the latest 200 samples of each of the first 10 callers.
    pub(crate) samples: Vec<SpanSample>,
}

/// The executions from one release to the next one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SpanRelease {
    /// The release; `null` for the time before the first one in the range.
    pub(crate) release: Option<ReleaseMark>,
    /// The number of executions.
    pub(crate) count: u64,
    /// Executions per minute.
    pub(crate) per_minute: f64,
    /// The mean duration in milliseconds; `null` without executions.
    pub(crate) average_ms: Option<f64>,
    /// The time in milliseconds.
    pub(crate) total_ms: f64,
}

/// A transaction that runs the query or makes the call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SpanCaller {
    /// The transaction.
    pub(crate) transaction: TransactionIdentity,
    /// The number of executions: the transaction's number of spans of the kind, divided as the observed ones were on the days
    /// of the range. That of all callers is at most the number of the query or call.
    pub(crate) count: u64,
    /// Their time in milliseconds, divided in the same way.
    pub(crate) total_ms: f64,
    /// The mean duration in milliseconds; `null` without executions.
    pub(crate) average_ms: Option<f64>,
    /// The share of the time of all listed callers, from 0 to 1.
    pub(crate) share: f64,
    /// The application's line that issues it in a sample, such as `src/books.rs:41 in shop::books::list`.
    pub(crate) line: Option<String>,
}

/// A sample that has the query or the call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SpanSample {
    /// Its transaction.
    pub(crate) transaction: TransactionIdentity,
    /// The sample.
    pub(crate) sample: SampleSummary,
    /// The number of executions in it. In an average of several transactions, those of all.
    pub(crate) count: u64,
    /// Their time in milliseconds; in an average, per transaction.
    pub(crate) total_ms: f64,
    /// Whether the agent flagged them as N+1.
    pub(crate) n_plus_one: bool,
}

/// A query or call of one transaction.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TransactionSpan {
    /// The id of the query or call.
    pub(crate) id: i64,
    /// The normalised text.
    pub(crate) signature: String,
    /// The kind.
    pub(crate) kind: String,
    /// The number of executions in the transaction.
    pub(crate) count: u64,
    /// Their time in milliseconds.
    pub(crate) total_ms: f64,
}

/// A sample with its spans.
type Document = (SampleSummaryRow, SampleDocument);

impl Query {
    /// Returns a query or call of an app, if there is one with this id.
    pub(crate) async fn span(
        &self,
        app: &AppIdentity,
        family: SpanFamily,
        id: i64,
        range: &Range,
    ) -> Result<Option<SpanDetail>, QueryError> {
        let Some(span) = self.store.span(&app.id, family, id).await? else { return Ok(None) };
        let (all_ms, _) = self.time_of(app, family, range).await?;
        let points = self.store.span_points(&app.id, &[id], range.resolution, (range.from, range.to)).await?;
        let mut sums = SpanSums::default();
        points.iter().for_each(|point| sums.merge(&point.sums));
        let minutes = range.minutes_since(self.first_data(app).await?);
        let marks = self.release_marks(app, range).await?;
        let releases = by_release(&points, &marks, range);
        let rows = self.store.span_callers(&app.id, &span, days(range), MAX_CALLERS).await?;
        let mut documents: Vec<Vec<Document>> = Vec::new();
        for caller in rows.iter().take(SAMPLED_CALLERS) {
            let limits = (LATEST_SAMPLES, SLOWEST_SAMPLES);
            documents.push(self.store.slowest_documents(&app.id, caller.transaction, range.micros(), limits).await?);
        }
        let lines = self.lines(app, &span, &rows, &documents).await?;
        let text = documents.iter().flatten().find_map(|(_, document)| text(&span, document));
        let samples = samples(&span, &rows, documents);
        let callers = self.callers(app, &span, range, (rows, lines), &sums).await?;
        let series = series(range, &points, sums.count / minutes, marks);
        let summary = SpanSummary::new(span, &sums, minutes, all_ms);
        Ok(Some(SpanDetail { summary, text, series, releases, callers, samples }))
    }

    /// Returns the queries and calls of an app's transaction, those with the most time first.
    pub(crate) async fn spans_of(
        &self,
        app: &AppIdentity,
        transaction: i64,
        range: &Range,
        limit: usize,
    ) -> Result<Vec<TransactionSpan>, QueryError> {
        let uses = self.store.span_uses(&app.id, transaction, days(range)).await?;
        let ids = [transaction];
        let times = self.store.breakdown(rollup_span(app, range, Some(&ids))).await?;
        let times: HashMap<String, SelfTime> = times.into_iter().collect();
        let mut observed: HashMap<String, (f64, f64)> = HashMap::new();
        for used in &uses {
            let (count, ms) = observed.entry(used.span.kind.clone()).or_default();
            (*count, *ms) = (*count + used.count, *ms + used.sum_ms);
        }
        let span = |used: SpanUseRow| {
            let all = times.get(&used.span.kind)?;
            let (count, ms) = observed.get(&used.span.kind).copied().unwrap_or_default();
            let of_count = share(used.count, count);
            let of_time = if ms > 0.0 { used.sum_ms / ms } else { of_count };
            let SpanRow { id, kind, signature } = used.span;
            let (count, total_ms) = ((all.count as f64 * of_count).round() as u64, (all.self_ms * of_time).max(0.0));
            Some(TransactionSpan { id, signature, kind, count, total_ms })
        };
        let mut spans: Vec<TransactionSpan> = uses.into_iter().filter_map(span).collect();
        spans.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms).then_with(|| a.signature.cmp(&b.signature)));
        spans.truncate(limit);
        Ok(spans)
    }

    /// Returns the ids of those kinds and signatures of an app that have pages.
    pub(crate) async fn span_ids(
        &self,
        app: &AppIdentity,
        names: &[(&str, &str)],
    ) -> Result<HashMap<(String, String), i64>, QueryError> {
        let names: Vec<(&str, &str)> =
            names.iter().copied().filter(|(kind, _)| SpanFamily::of(kind).is_some()).collect();
        if names.is_empty() { Ok(HashMap::new()) } else { self.store.span_ids(&app.id, &names).await }
    }

    /// Divides the time of callers, as their spans of the kind were observed. All callers together have at most the sums of
    /// the query or call.
    async fn callers(
        &self,
        app: &AppIdentity,
        span: &SpanRow,
        range: &Range,
        (rows, mut lines): (Vec<SpanCallerRow>, HashMap<i64, String>),
        sums: &SpanSums,
    ) -> Result<Vec<SpanCaller>, QueryError> {
        let ids: Vec<i64> = rows.iter().map(|row| row.transaction).collect();
        let times = self.store.times_of_kind(rollup_span(app, range, Some(&ids)), &span.kind).await?;
        let part = |row: SpanCallerRow| {
            let all = times.get(&row.transaction).copied().unwrap_or_default();
            let count = all.count as f64 * row.share_of_count;
            let ms = (all.self_ms * row.share_of_time).max(0.0);
            (row, count, ms)
        };
        let mut parts: Vec<(SpanCallerRow, f64, f64)> = rows.into_iter().map(part).collect();
        parts.retain(|(_, count, ms)| *count > 0.0 || *ms > 0.0);
        parts.sort_by(|(a, _, a_ms), (b, _, b_ms)| b_ms.total_cmp(a_ms).then_with(|| a.name.cmp(&b.name)));
        // Shares are those of whole days, and the range can begin and end within a day.
        let all_count: f64 = parts.iter().map(|(_, count, _)| count).sum();
        let all_ms: f64 = parts.iter().map(|(.., ms)| ms).sum();
        let of_count = share(sums.count, all_count).min(1.0);
        let of_time = share(sums.sum_ms, all_ms).min(1.0);
        let mut counted = 0.0;
        let caller = |(row, count, ms): (SpanCallerRow, f64, f64)| {
            let (count, total_ms) = (count * of_count, ms * of_time);
            // The sum of rounded numbers is the rounded sum.
            let before = f64::round(counted);
            counted += count;
            SpanCaller {
                line: lines.remove(&row.transaction),
                transaction: TransactionIdentity { id: row.transaction, name: row.name, kind: row.kind },
                count: (counted.round() - before) as u64,
                total_ms,
                average_ms: (count > 0.0).then(|| total_ms / count),
                share: share(ms, all_ms),
            }
        };
        Ok(parts.into_iter().map(caller).filter(|caller| caller.count > 0 || caller.total_ms > 0.0).collect())
    }

    /// Returns the line that issues the spans in the samples of each transaction, as far as agents send stacks.
    async fn lines(
        &self,
        app: &AppIdentity,
        span: &SpanRow,
        callers: &[SpanCallerRow],
        documents: &[Vec<Document>],
    ) -> Result<HashMap<i64, String>, QueryError> {
        let mut groups: Vec<(i64, &SpanGroup)> = Vec::new();
        for (caller, documents) in callers.iter().zip(documents) {
            let of_span = documents.iter().flat_map(|(_, document)| &document.groups);
            let of_span = of_span.filter(|group| is_of(span, &group.kind, &group.signature));
            groups.extend(of_span.map(|group| (caller.transaction, group)));
        }
        let sites: Vec<&str> = groups.iter().flat_map(|(_, group)| &group.sites).map(String::as_str).collect();
        let stacks = if sites.is_empty() { HashMap::new() } else { self.store.span_stacks(&app.id, &sites).await? };
        let mut lines = HashMap::new();
        for (transaction, group) in groups {
            let stored = group.sites.iter().filter_map(|site| stacks.get(site));
            if let Some(line) = std::iter::once(&group.frames).chain(stored).find_map(|frames| issuing_line(frames)) {
                lines.entry(transaction).or_insert(line);
            }
        }
        Ok(lines)
    }
}

/// Returns the first and the last day of a range, in days since 1970.
fn days(range: &Range) -> (i64, i64) {
    (range.from.div_euclid(DAY), (range.to - 1).div_euclid(DAY))
}

fn is_of(span: &SpanRow, kind: &str, signature: &str) -> bool {
    span.kind == kind && span.signature == signature
}

/// Returns the statement or the URL of the span in a sample.
fn text(span: &SpanRow, document: &SampleDocument) -> Option<String> {
    let group = document.groups.iter().find(|group| is_of(span, &group.kind, &group.signature))?;
    let text = ["sql", "url"].into_iter().find_map(|key| group.extra.get(key)?.as_str())?;
    (text != span.signature).then(|| text.to_owned())
}

/// Returns the samples with the most time in the span.
fn samples(span: &SpanRow, callers: &[SpanCallerRow], documents: Vec<Vec<Document>>) -> Vec<SpanSample> {
    let mut samples = Vec::new();
    for (caller, documents) in callers.iter().zip(documents) {
        for (summary, document) in documents {
            let is_own = |group: &usize| {
                document.groups.get(*group).is_some_and(|group| is_of(span, &group.kind, &group.signature))
            };
            let own: Vec<_> = document.spans.iter().filter(|own| is_own(&own.group)).collect();
            if own.is_empty() {
                continue;
            }
            let identity =
                TransactionIdentity { id: caller.transaction, name: caller.name.clone(), kind: caller.kind.clone() };
            samples.push(SpanSample {
                transaction: identity,
                sample: summary.into(),
                count: own.iter().map(|own| own.count.max(1)).fold(0, u64::saturating_add),
                total_ms: own.iter().map(|own| own.total_ms.unwrap_or(own.duration_ms)).sum(),
                n_plus_one: own.iter().any(|own| own.n_plus_one),
            });
        }
    }
    samples.sort_by(|a, b| b.total_ms.total_cmp(&a.total_ms).then(a.sample.id.cmp(&b.sample.id)));
    samples.truncate(MAX_SAMPLES);
    samples
}

/// Sums up the time from each release to the next one. A row of the store belongs to the release that was completed before
/// it began.
fn by_release(points: &[SpanPoint], marks: &[ReleaseMark], range: &Range) -> Vec<SpanRelease> {
    if marks.is_empty() {
        return Vec::new();
    }
    let mut sums: BTreeMap<Option<usize>, SpanSums> = BTreeMap::new();
    for point in points {
        // The newest release is the first one.
        let release = marks.iter().position(|mark| mark.completed_at.as_second() <= point.start);
        sums.entry(release).or_default().merge(&point.sums);
    }
    let (from, to) = (range.from, range.end_of_data());
    let release = |index: Option<usize>| {
        let sums = sums.get(&index).copied().unwrap_or_default();
        let start = |index: usize| marks.get(index).map_or(from, |mark| mark.completed_at.as_second());
        let begin = index.map_or(from, start);
        let end = match index {
            Some(0) => to,
            Some(index) => start(index - 1),
            None => start(marks.len() - 1),
        };
        SpanRelease {
            release: index.and_then(|index| marks.get(index).copied()),
            count: sums.count.round() as u64,
            per_minute: sums.count / ((end - begin).max(60) as f64 / 60.0),
            average_ms: average(&sums),
            total_ms: sums.sum_ms,
        }
    };
    (0..marks.len()).map(Some).chain([None]).map(release).collect()
}

fn series(range: &Range, points: &[SpanPoint], per_minute: f64, releases: Vec<ReleaseMark>) -> Series {
    let mut steps: BTreeMap<i64, SpanSums> = BTreeMap::new();
    for point in points {
        steps.entry((point.start - range.from).max(0) / range.step).or_default().merge(&point.sums);
    }
    let point = |(index, start): (i64, i64)| {
        let sums = steps.get(&index).copied().unwrap_or_default();
        let count = sums.count.round() as u64;
        SeriesPoint {
            start: from_seconds(start),
            is_complete: range.is_complete(start),
            count,
            failed: 0,
            average_ms: average(&sums),
            p50_ms: None,
            p95_ms: None,
            p99_ms: None,
            head: None,
            results: if count > 0 { [("executions".to_owned(), count)].into() } else { BTreeMap::new() },
        }
    };
    let points = (0..).zip(range.points()).map(point).collect();
    Series { step_seconds: range.step, per_minute, points, releases }
}
