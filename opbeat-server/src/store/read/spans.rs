//! Queries and calls: their sums, their sums over time, and the transactions that they were observed in.

use std::collections::{BTreeMap, HashMap};

use super::rollups::{RollupSpan, push_parts};
use super::samples::{COLUMNS, SampleSummaryRow, summary};
use crate::changes::{SampleDocument, SelfTime, unpack};
use crate::store::SpanFamily;
use crate::store::counts::count;
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;
use crate::store::marks::Part;
use crate::store::spans::ids_of_span;

const DAY: i64 = 86_400;

/// A kind and signature of spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpanRow {
    /// Its id in the store.
    pub(crate) id: i64,
    /// The kind.
    pub(crate) kind: String,
    /// The signature.
    pub(crate) signature: String,
}

/// The sums of spans.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SpanSums {
    /// Their number.
    pub(crate) count: f64,
    /// Their time, in milliseconds.
    pub(crate) sum_ms: f64,
    /// The part of the time that is an estimate.
    pub(crate) estimated_ms: f64,
    /// The number of sampled transactions that have them.
    pub(crate) samples: u64,
    /// The number of those in which the agent flagged them as N+1.
    pub(crate) n_plus_one: u64,
    /// The number of observed spans whose success or failure is known.
    pub(crate) answered: u64,
    /// The number of those that failed.
    pub(crate) failed: u64,
}

/// The sums of a kind and signature at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpanPoint {
    /// The id of the kind and signature.
    pub(crate) span: i64,
    /// The start of the time, in seconds since 1970.
    pub(crate) start: i64,
    /// The sums.
    pub(crate) sums: SpanSums,
}

/// The spans of a kind and signature that were observed in a transaction.
#[derive(Clone, Debug)]
pub(crate) struct SpanCallerRow {
    /// The transaction's id.
    pub(crate) transaction: i64,
    /// The transaction's name.
    pub(crate) name: String,
    /// The transaction's kind.
    pub(crate) kind: String,
    /// The share of the observed time of its spans with the kind, from 0 to 1.
    pub(crate) share_of_time: f64,
    /// The share of the number of its spans with the kind.
    pub(crate) share_of_count: f64,
}

impl SpanSums {
    /// Adds others.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum_ms += other.sum_ms;
        self.estimated_ms += other.estimated_ms;
        self.samples = self.samples.saturating_add(other.samples);
        self.n_plus_one = self.n_plus_one.saturating_add(other.n_plus_one);
        self.answered = self.answered.saturating_add(other.answered);
        self.failed = self.failed.saturating_add(other.failed);
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let number = |column: &'static str| row.try_get::<f64, _>(column);
        Ok(Self {
            // A span that arrives late takes its time from the span around it, which may be in another row.
            count: number("count")?.max(0.0),
            sum_ms: number("sum_ms")?.max(0.0),
            estimated_ms: number("estimated_ms")?.max(0.0),
            samples: count(number("samples")?),
            n_plus_one: count(number("n_plus_one")?),
            answered: count(number("answered")?),
            failed: count(number("failed")?),
        })
    }
}

/// The sums that decide the order of a list, and those that only its shown rows need. Each costs as much as reading the rows.
const TIMES: &str = "sum(span_sums.count) AS count, sum(span_sums.sum_ms) AS sum_ms,
     sum(span_sums.estimated_ms) AS estimated_ms";
const FAILURES: &str = "CAST(sum(span_sums.answered) AS DOUBLE PRECISION) AS answered,
     CAST(sum(span_sums.failed) AS DOUBLE PRECISION) AS failed";
const NO_FAILURES: &str = "CAST(0 AS DOUBLE PRECISION) AS answered, CAST(0 AS DOUBLE PRECISION) AS failed";
const SAMPLES: &str = "CAST(sum(span_sums.samples) AS DOUBLE PRECISION) AS samples,
     CAST(sum(span_sums.n_plus_one) AS DOUBLE PRECISION) AS n_plus_one";
const NO_SAMPLES: &str = "CAST(0 AS DOUBLE PRECISION) AS samples, CAST(0 AS DOUBLE PRECISION) AS n_plus_one";

/// The queries and calls of an app whose sums are read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SpansOf<'s> {
    /// All of a family. Queries have no failures, and none has numbers of samples.
    Family(SpanFamily),
    /// Some, by their ids, with all sums.
    Ids(&'s [i64]),
}

impl Store {
    /// Returns a query or a call of an app.
    pub(crate) async fn span(&self, app_id: &str, family: SpanFamily, id: i64) -> Result<Option<SpanRow>, StoreError> {
        let row = query("SELECT id, kind, signature FROM spans WHERE app_id = ? AND family = ? AND id = ?")
            .bind(app_id)
            .bind(family.name())
            .bind(id)
            .read_optional(&self.readers)
            .await?;
        row.as_ref().map(span).transpose()
    }

    /// Returns the sums of queries or calls of an app in a range of time, of which rows with a resolution stand.
    pub(crate) async fn span_sums(
        &self,
        app_id: &str,
        spans: SpansOf<'_>,
        resolution: i64,
        (from, to): (i64, i64),
    ) -> Result<Vec<(SpanRow, SpanSums)>, StoreError> {
        let parts = self.marks(app_id).await?.longest_parts(resolution, (from, to));
        let (failures, samples) = match spans {
            SpansOf::Family(SpanFamily::Queries) => (NO_FAILURES, NO_SAMPLES),
            SpansOf::Family(SpanFamily::Calls) => (FAILURES, NO_SAMPLES),
            SpansOf::Ids(_) => (FAILURES, SAMPLES),
        };
        let mut select = QueryBuilder::new("");
        for (index, part) in parts.iter().enumerate() {
            select.push(if index == 0 { "" } else { " UNION ALL " });
            select.push(format_args!(
                "SELECT spans.id, spans.kind, spans.signature, {TIMES}, {failures}, {samples}
                 FROM spans JOIN span_sums ON span_sums.span_id = spans.id WHERE spans.app_id = "
            ));
            select.push_bind(app_id.to_owned());
            match spans {
                SpansOf::Family(family) => select.push(" AND spans.family = ").push_bind(family.name()),
                SpansOf::Ids(ids) => select.push(" AND spans.id IN ").push_integers(ids),
            };
            select.push(" AND spans.seen_on >= ").push_bind(part.from.div_euclid(DAY) - 1);
            push_part(&mut select, *part);
            select.push(" GROUP BY spans.id");
        }
        if parts.is_empty() {
            return Ok(Vec::new());
        }
        let mut all: BTreeMap<i64, (SpanRow, SpanSums)> = BTreeMap::new();
        let row = |row: &Row<'_>| Ok::<_, StoreError>((span(row)?, SpanSums::read(row)?));
        let add = |(span, sums): (SpanRow, SpanSums)| {
            all.entry(span.id).or_insert_with(|| (span, SpanSums::default())).1.merge(&sums);
        };
        select.build().read_each(&self.readers, row, add).await?;
        Ok(all.into_values().collect())
    }

    /// Returns the sums of queries or calls of an app by time, in rows of a resolution as far as they are complete.
    pub(crate) async fn span_points(
        &self,
        app_id: &str,
        spans: &[i64],
        resolution: i64,
        (from, to): (i64, i64),
    ) -> Result<Vec<SpanPoint>, StoreError> {
        let parts = self.marks(app_id).await?.parts(resolution, (from, to));
        if parts.is_empty() || spans.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = QueryBuilder::new("");
        for (index, part) in parts.iter().enumerate() {
            select.push(if index == 0 { "" } else { " UNION ALL " });
            select.push(
                "SELECT span_sums.span_id, span_sums.start, span_sums.count, span_sums.sum_ms, span_sums.estimated_ms,
                        CAST(span_sums.samples AS DOUBLE PRECISION) AS samples,
                        CAST(span_sums.n_plus_one AS DOUBLE PRECISION) AS n_plus_one,
                        CAST(span_sums.answered AS DOUBLE PRECISION) AS answered,
                        CAST(span_sums.failed AS DOUBLE PRECISION) AS failed
                 FROM spans JOIN span_sums ON span_sums.span_id = spans.id WHERE spans.app_id = ",
            );
            select.push_bind(app_id.to_owned()).push(" AND spans.id IN ").push_integers(spans);
            push_part(&mut select, *part);
        }
        let row = |row: &Row<'_>| {
            let (span, start) = (row.try_get("span_id")?, row.try_get("start")?);
            Ok::<_, StoreError>(SpanPoint { span, start, sums: SpanSums::read(row)? })
        };
        let mut points = Vec::new();
        select.build().read_each(&self.readers, row, |point| points.push(point)).await?;
        Ok(points)
    }

    /// Returns the transactions that a query or a call of an app was observed in on days of a range (both ends included, in
    /// days since 1970), those with the most observed time first.
    pub(crate) async fn span_callers(
        &self,
        app_id: &str,
        span: &SpanRow,
        (from, to): (i64, i64),
        limit: i64,
    ) -> Result<Vec<SpanCallerRow>, StoreError> {
        let rows = query(
            "SELECT own.transaction_id, transactions.name, transactions.kind, own.count, own.sum_ms
             FROM (
                 SELECT transaction_id, sum(CAST(count AS DOUBLE PRECISION)) AS count, sum(sum_ms) AS sum_ms
                 FROM span_callers WHERE span_id = ? AND day >= ? AND day <= ? GROUP BY transaction_id
             ) AS own JOIN transactions ON transactions.id = own.transaction_id AND transactions.app_id = ?
             ORDER BY own.sum_ms DESC, transactions.name, own.transaction_id LIMIT ?",
        )
        .bind(span.id)
        .bind(from)
        .bind(to)
        .bind(app_id)
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.try_get("transaction_id")).collect::<Result<_, _>>()?;
        let mut all = QueryBuilder::new(
            "SELECT span_callers.transaction_id, sum(CAST(span_callers.count AS DOUBLE PRECISION)) AS count,
                    sum(span_callers.sum_ms) AS sum_ms
             FROM span_callers JOIN spans ON spans.id = span_callers.span_id WHERE spans.kind = ",
        );
        all.push_bind(span.kind.clone()).push(" AND span_callers.day >= ").push_bind(from);
        all.push(" AND span_callers.day <= ").push_bind(to).push(" AND span_callers.transaction_id IN ");
        all.push_integers(&ids).push(" GROUP BY span_callers.transaction_id");
        let mut of_kind: HashMap<i64, (f64, f64)> = HashMap::new();
        for row in all.build().read_all(&self.readers).await? {
            of_kind.insert(row.try_get("transaction_id")?, (row.try_get("count")?, row.try_get("sum_ms")?));
        }
        let caller = |row: &Row<'_>| {
            let transaction = row.try_get("transaction_id")?;
            let (all_count, all_ms) = of_kind.get(&transaction).copied().unwrap_or_default();
            let share_of_count = ratio(row.try_get("count")?, all_count).unwrap_or(0.0);
            Ok(SpanCallerRow {
                transaction,
                name: row.try_get("name")?,
                kind: row.try_get("kind")?,
                share_of_time: ratio(row.try_get("sum_ms")?, all_ms).unwrap_or(share_of_count),
                share_of_count,
            })
        };
        rows.iter().map(caller).collect()
    }

    /// Returns the ids of those kinds and signatures of an app that have one.
    pub(crate) async fn span_ids(
        &self,
        app_id: &str,
        names: &[(&str, &str)],
    ) -> Result<HashMap<(String, String), i64>, StoreError> {
        let candidates = names.iter().flat_map(|(kind, signature)| {
            let (first, last) = ids_of_span(app_id, kind, signature);
            first..=last
        });
        let candidates: Vec<i64> = candidates.collect();
        let mut select = QueryBuilder::new("SELECT id, kind, signature FROM spans WHERE app_id = ");
        select.push_bind(app_id.to_owned()).push(" AND id IN ").push_integers(&candidates);
        let rows = select.build().read_all(&self.readers).await?;
        let row = |row: &Row<'_>| {
            let SpanRow { id, kind, signature } = span(row)?;
            Ok(((kind, signature), id))
        };
        rows.iter().map(row).collect()
    }

    /// Returns the self time of some transactions in spans of a kind, by the transaction.
    pub(crate) async fn times_of_kind(
        &self,
        rollups: RollupSpan<'_>,
        kind: &str,
    ) -> Result<HashMap<i64, SelfTime>, StoreError> {
        let select = "SELECT breakdowns.transaction_id, breakdowns.kind,
                             sum(CAST(breakdowns.count AS DOUBLE PRECISION)) AS count, sum(breakdowns.self_ms) AS self_ms,
                             sum(CAST(breakdowns.samples AS DOUBLE PRECISION)) AS samples
                      FROM transactions JOIN breakdowns ON breakdowns.transaction_id = transactions.id WHERE ";
        let marks = self.marks(rollups.app_id).await?;
        let parts = marks.longest_parts(rollups.resolution, (rollups.from, rollups.to));
        let mut query = QueryBuilder::new("");
        let end = " GROUP BY breakdowns.transaction_id, breakdowns.kind";
        let mut times: HashMap<i64, SelfTime> = HashMap::new();
        if !push_parts(&mut query, rollups, &marks, &parts, ("breakdowns", select, end)) {
            return Ok(times);
        }
        for row in query.build().read_all(&self.readers).await? {
            if row.try_get::<&str, _>("kind")? == kind {
                let (count, samples) = (count(row.try_get("count")?), count(row.try_get("samples")?));
                let part = SelfTime { count, self_ms: row.try_get("self_ms")?, samples };
                times.entry(row.try_get("transaction_id")?).or_default().merge(part);
            }
        }
        Ok(times)
    }

    /// Returns the slowest of the latest samples of an app's transaction in a range (microseconds since 1970), with their
    /// spans. A document that cannot be read is left out.
    pub(crate) async fn slowest_documents(
        &self,
        app_id: &str,
        transaction: i64,
        (from, to): (i64, i64),
        (latest, limit): (i64, i64),
    ) -> Result<Vec<(SampleSummaryRow, SampleDocument)>, StoreError> {
        let mut query = QueryBuilder::new(format!(
            "SELECT {COLUMNS}, samples.document FROM samples WHERE samples.id IN (
                 SELECT id FROM (
                     SELECT samples.id AS id, samples.duration_ms AS duration_ms
                     FROM samples JOIN transactions ON transactions.id = samples.transaction_id
                     WHERE transactions.app_id = "
        ));
        query.push_bind(app_id.to_owned()).push(" AND samples.transaction_id = ").push_bind(transaction);
        query.push(" AND samples.happened_at >= ").push_bind(from).push(" AND samples.happened_at < ").push_bind(to);
        query.push(" ORDER BY samples.happened_at DESC, samples.id DESC LIMIT ").push_bind(latest);
        query.push(") AS latest ORDER BY duration_ms DESC, id LIMIT ").push_bind(limit).push(")");
        let row = |row: &Row<'_>| {
            let Ok(document) = unpack::<SampleDocument>(row.try_get("document")?) else { return Ok(None) };
            Ok::<_, StoreError>(Some((summary(row)?, document)))
        };
        let mut samples = Vec::new();
        query.build().read_each(&self.readers, row, |sample| samples.extend(sample)).await?;
        Ok(samples)
    }
}

/// Appends the condition of the rows of a part.
fn push_part(select: &mut QueryBuilder<'_>, part: Part) {
    select.push(" AND span_sums.resolution = ").push_bind(part.resolution);
    select.push(" AND span_sums.start >= ").push_bind(part.from);
    select.push(" AND span_sums.start < ").push_bind(part.to);
}

pub(super) fn span(row: &Row<'_>) -> Result<SpanRow, StoreError> {
    Ok(SpanRow { id: row.try_get("id")?, kind: row.try_get("kind")?, signature: row.try_get("signature")? })
}

pub(super) fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}
