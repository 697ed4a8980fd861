//! An app's queries, and its calls of other services, ranked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use utoipa::ToSchema;

use super::transactions::rollup_span;
use super::trend::Trend;
use super::{AppIdentity, Query, QueryError, Range, SpanFamily};
use crate::store::OTHER_SPANS;
use crate::store::read::{SpanRow, SpanSums, SpansOf};

/// The largest number of hosts in a list.
const MAX_HOSTS: usize = 20;

/// The smallest part of a time that counts as a difference: sums are rounded.
const ROUNDING: f64 = 1e-6;

/// The order of queries and calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SpanOrder {
    /// Those with the most time first.
    #[default]
    Time,
    /// The most frequent first.
    Calls,
    /// Those with the longest average first.
    Average,
    /// Those with the most failures first.
    Failed,
    /// By signature.
    Name,
}

/// A query or a call, summed up over a range.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SpanSummary {
    /// Its id.
    pub(crate) id: i64,
    /// The normalised text, such as `SELECT FROM books` or `GET prices.example`. `(others)` stands for those beyond 2,000.
    pub(crate) signature: String,
    /// The kind, such as `db.postgresql.query`.
    pub(crate) kind: String,
    /// The table of a query or the host of a call, if the signature names it.
    pub(crate) target: Option<String>,
    /// The number of executions.
    pub(crate) count: u64,
    /// Executions per minute, over the requested time since the app's first data.
    pub(crate) per_minute: f64,
    /// The mean duration in milliseconds; `null` without executions.
    pub(crate) average_ms: Option<f64>,
    /// Its time in milliseconds: the sum of its durations, or if that is not known, its part of the self time of its kind.
    pub(crate) total_ms: f64,
    /// The share of the time of all the app's transactions, from 0 to 1.
    pub(crate) share: f64,
    /// The number of sampled transactions that ran it so often that one execution could do.
    pub(crate) n_plus_one_samples: u64,
    /// The number of observed executions whose success or failure is known. Observed are those of samples, or all.
    pub(crate) answered: u64,
    /// The number of those that failed.
    pub(crate) failed: u64,
    /// The number of sampled transactions in the range that its part of the time of its kind is estimated from; `null` if it
    /// is exact.
    pub(crate) estimated_from_samples: Option<u64>,
    /// The time in milliseconds in each of some equal steps of the range. Lists only.
    pub(crate) trend_ms: Vec<f64>,
}

/// The calls of a host.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HostSummary {
    /// The host, with its port if that is not the usual one.
    pub(crate) host: String,
    /// The number of calls.
    pub(crate) count: u64,
    /// Their time in milliseconds.
    pub(crate) total_ms: f64,
    /// The share of the time of all the app's transactions, from 0 to 1.
    pub(crate) share: f64,
    /// The number of observed calls whose success or failure is known.
    pub(crate) answered: u64,
    /// The number of those that failed.
    pub(crate) failed: u64,
}

/// Queries or calls.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SpanList {
    /// The number of all in the range that match the filter.
    pub(crate) total: usize,
    /// The requested part of the list.
    pub(crate) spans: Vec<SpanSummary>,
    /// The share of the time of all the app's transactions that all of them take, from 0 to 1.
    pub(crate) share: f64,
    /// The share of time in spans of these kinds of which no signature was observed.
    pub(crate) unknown_share: f64,
    /// The hosts of calls, those with the most time first; at most 20.
    pub(crate) hosts: Vec<HostSummary>,
}

impl SpanOrder {
    /// The orders with their names in parameters.
    pub(crate) const NAMES: [(&'static str, Self); 5] = [
        ("time", Self::Time),
        ("calls", Self::Calls),
        ("average", Self::Average),
        ("failed", Self::Failed),
        ("name", Self::Name),
    ];

    /// Returns the order with a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, order)| order)
    }

    fn sort(self, spans: &mut [(SpanRow, SpanSums)]) {
        spans.sort_by(|(a, a_sums), (b, b_sums)| {
            let by = |number: fn(&SpanSums) -> f64| number(b_sums).total_cmp(&number(a_sums));
            let first = match self {
                Self::Time => by(|sums| sums.sum_ms),
                Self::Calls => by(|sums| sums.count),
                Self::Average => by(|sums| average(sums).unwrap_or(0.0)),
                Self::Failed => by(|sums| sums.failed as f64),
                Self::Name => a.signature.cmp(&b.signature),
            };
            first.then_with(|| by(|sums| sums.sum_ms)).then_with(|| a.signature.cmp(&b.signature)).then(a.id.cmp(&b.id))
        });
    }
}

impl Query {
    /// Returns queries or calls of an app. `search` is a part of the signature.
    pub(crate) async fn spans(
        &self,
        app: &AppIdentity,
        family: SpanFamily,
        range: &Range,
        (order, search): (SpanOrder, Option<&str>),
        (limit, offset): (usize, usize),
    ) -> Result<SpanList, QueryError> {
        let mut spans =
            self.store.span_sums(&app.id, SpansOf::Family(family), range.resolution, (range.from, range.to)).await?;
        let (all_ms, family_ms) = self.time_of(app, family, range).await?;
        let known_ms: f64 = spans.iter().map(|(_, sums)| sums.sum_ms).sum();
        let unknown_ms = family_ms - known_ms;
        let hosts = if family == SpanFamily::Calls { hosts(&spans, all_ms) } else { Vec::new() };
        let search = search.map(str::to_lowercase);
        spans.retain(|(span, _)| search.as_ref().is_none_or(|part| span.signature.to_lowercase().contains(part)));
        let listed_ms: f64 = spans.iter().map(|(_, sums)| sums.sum_ms).sum();
        order.sort(&mut spans);
        let total = spans.len();
        let shown: Vec<_> = spans.into_iter().skip(offset).take(limit).collect();
        let ids: Vec<i64> = shown.iter().map(|(span, _)| span.id).collect();
        let facts = self.store.span_sums(&app.id, SpansOf::Ids(&ids), range.resolution, (range.from, range.to)).await?;
        let facts: HashMap<i64, SpanSums> = facts.into_iter().map(|(span, sums)| (span.id, sums)).collect();
        let mut trends = self.span_trends(app, &ids, range).await?;
        let minutes = range.minutes_since(self.first_data(app).await?);
        let summary = |(span, sums): (SpanRow, SpanSums)| {
            let trend_ms = trends.remove(&span.id).unwrap_or_default();
            let sums = facts.get(&span.id).copied().unwrap_or(sums);
            SpanSummary { trend_ms, ..SpanSummary::new(span, &sums, minutes, all_ms) }
        };
        Ok(SpanList {
            total,
            spans: shown.into_iter().map(summary).collect(),
            share: share(listed_ms, all_ms),
            unknown_share: if unknown_ms > ROUNDING * family_ms { share(unknown_ms, all_ms) } else { 0.0 },
            hosts,
        })
    }

    /// Returns the time of all transactions of an app, and that of its spans of a family, in milliseconds.
    pub(super) async fn time_of(
        &self,
        app: &AppIdentity,
        family: SpanFamily,
        range: &Range,
    ) -> Result<(f64, f64), QueryError> {
        let kinds = self.store.breakdown(rollup_span(app, range, None)).await?;
        let all_ms = kinds.iter().map(|(_, part)| part.self_ms).sum();
        let of_family = kinds.iter().filter(|(kind, _)| SpanFamily::of(kind) == Some(family));
        Ok((all_ms, of_family.map(|(_, part)| part.self_ms).sum()))
    }

    async fn span_trends(
        &self,
        app: &AppIdentity,
        spans: &[i64],
        range: &Range,
    ) -> Result<HashMap<i64, Vec<f64>>, QueryError> {
        let trend = Trend::of(range);
        let points = self.store.span_points(&app.id, spans, trend.resolution, (trend.from, range.to)).await?;
        let mut trends: HashMap<i64, Vec<f64>> = HashMap::new();
        for point in points {
            let steps = trends.entry(point.span).or_insert_with(|| vec![0.0; trend.steps]);
            if let Some(step) = steps.get_mut(trend.step_of(point.start)) {
                *step += point.sums.sum_ms;
            }
        }
        Ok(trends)
    }
}

impl SpanSummary {
    /// Sums up a query or call, with its share of a time in milliseconds.
    pub(super) fn new(span: SpanRow, sums: &SpanSums, minutes: f64, all_ms: f64) -> Self {
        let SpanRow { id, kind, signature } = span;
        let is_estimate = sums.estimated_ms > ROUNDING * sums.sum_ms;
        Self {
            id,
            target: target(&kind, &signature),
            signature,
            kind,
            count: sums.count.round() as u64,
            per_minute: sums.count / minutes,
            average_ms: average(sums),
            total_ms: sums.sum_ms,
            share: share(sums.sum_ms, all_ms),
            n_plus_one_samples: sums.n_plus_one,
            answered: sums.answered,
            failed: sums.failed,
            estimated_from_samples: is_estimate.then_some(sums.samples),
            trend_ms: Vec::new(),
        }
    }

    /// Returns whether it stands for all that are beyond the limit.
    pub(crate) fn is_shared(&self) -> bool {
        self.signature == OTHER_SPANS
    }
}

/// Sums up calls by their host.
fn hosts(spans: &[(SpanRow, SpanSums)], all_ms: f64) -> Vec<HostSummary> {
    let mut hosts: BTreeMap<String, SpanSums> = BTreeMap::new();
    for (span, sums) in spans {
        if let Some(host) = host(&span.signature) {
            hosts.entry(host.to_owned()).or_default().merge(sums);
        }
    }
    let host = |(host, sums): (String, SpanSums)| HostSummary {
        host,
        count: sums.count.round() as u64,
        total_ms: sums.sum_ms,
        share: share(sums.sum_ms, all_ms),
        answered: sums.answered,
        failed: sums.failed,
    };
    let mut hosts: Vec<HostSummary> = hosts.into_iter().map(host).collect();
    hosts.sort_by_key(|host| Reverse((host.total_ms * 1_000.0) as u64));
    hosts.truncate(MAX_HOSTS);
    hosts
}

pub(super) fn average(sums: &SpanSums) -> Option<f64> {
    (sums.count > 0.0).then(|| sums.sum_ms / sums.count)
}

pub(super) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn target(kind: &str, signature: &str) -> Option<String> {
    let target = match SpanFamily::of(kind)? {
        SpanFamily::Queries => table(signature),
        SpanFamily::Calls => host(signature),
    };
    target.map(str::to_owned)
}

/// Returns the table of a signature such as `SELECT FROM books`, `INSERT INTO books` or `UPDATE books`.
fn table(signature: &str) -> Option<&str> {
    let words: Vec<&str> = signature.split(' ').take(4).collect();
    match words[..] {
        ["SELECT" | "DELETE", "FROM", table] | ["INSERT" | "REPLACE", "INTO", table] | ["UPDATE", table] => Some(table),
        _ => None,
    }
}

/// Returns the host of a signature such as `GET prices.example:8080/books`, with its port.
fn host(signature: &str) -> Option<&str> {
    let (method, url) = signature.split_once(' ')?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = authority.split(['/', '?', '#', ' ']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (is_method && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_name_tables_and_hosts() {
        assert_eq!(["SELECT FROM books", "UPDATE books", "INSERT INTO books"].map(table), [Some("books"); 3]);
        assert_eq!(["BEGIN", "SELECT FROM a JOIN b", "sqlite3.connect :memory:", ""].map(table), [None; 4]);
        let hosts = ["GET prices.example", "POST https://prices.example/books?id=1", "GET u:p@prices.example/x"];
        assert_eq!(hosts.map(host), [Some("prices.example"); 3]);
        assert_eq!(host("GET [::1]:8080/a"), Some("[::1]:8080"));
        assert_eq!(["send mail", "GET", "GET /books", ""].map(host), [None; 4]);
    }
}
