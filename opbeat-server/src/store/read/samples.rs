//! Sampled transactions and the stacks of their spans.

use std::collections::HashMap;

use opbeat_protocol::Frame;

use super::apps::AppName;
use crate::changes::{SampleDocument, unpack};
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;

/// The order of samples in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SampleOrder {
    /// The slowest first.
    Slowest,
    /// The newest first.
    Newest,
}

/// A sample without its spans.
#[derive(Clone, Debug)]
pub(crate) struct SampleSummaryRow {
    /// Its id in the store.
    pub(crate) id: i64,
    /// When it began, in microseconds since 1970.
    pub(crate) happened_at: i64,
    /// Its duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its result.
    pub(crate) result: String,
    /// Its outcome, or an empty string.
    pub(crate) outcome: String,
    /// The number of transactions that it is the average of, or 0 if it is a single one.
    pub(crate) average_of: i64,
}

/// A sample of a trace, in any app of an organization.
#[derive(Clone, Debug)]
pub(crate) struct TraceSampleRow {
    /// Its app.
    pub(crate) app: AppName,
    /// The id of its transaction in the store.
    pub(crate) transaction: i64,
    /// The transaction's name.
    pub(crate) name: String,
    /// The transaction's kind.
    pub(crate) kind: String,
    /// The id that the agent gave it, or an empty string.
    pub(crate) external_id: String,
    /// The sample.
    pub(crate) sample: SampleRow,
}

/// A sample with its spans.
#[derive(Clone, Debug)]
pub(crate) struct SampleRow {
    /// The values that lists show.
    pub(crate) summary: SampleSummaryRow,
    /// Its spans and context.
    pub(crate) document: SampleDocument,
}

pub(super) const COLUMNS: &str =
    "samples.id, samples.happened_at, samples.duration_ms, samples.result, samples.outcome, samples.average_of";

/// The largest size of the stacks that are read for one sample, in bytes.
const MAX_STACKS: usize = 2 << 20;

impl Store {
    /// Returns samples of an app's transaction in a range of time (microseconds since 1970).
    pub(crate) async fn samples(
        &self,
        app_id: &str,
        transaction: i64,
        (from, to): (i64, i64),
        order: SampleOrder,
        limit: i64,
    ) -> Result<Vec<SampleSummaryRow>, StoreError> {
        let order = match order {
            SampleOrder::Slowest => "samples.duration_ms DESC, samples.id DESC",
            SampleOrder::Newest => "samples.happened_at DESC, samples.id DESC",
        };
        let mut query = QueryBuilder::new(format!(
            "SELECT {COLUMNS} FROM samples JOIN transactions ON transactions.id = samples.transaction_id
             WHERE transactions.app_id = "
        ));
        query.push_bind(app_id.to_owned()).push(" AND samples.transaction_id = ").push_bind(transaction);
        query.push(" AND samples.happened_at >= ").push_bind(from).push(" AND samples.happened_at < ").push_bind(to);
        query.push(format!(" ORDER BY {order} LIMIT ")).push_bind(limit);
        let rows = query.build().read_all(&self.readers).await?;
        rows.iter().map(summary).collect()
    }

    /// Returns one sample of an app's transaction.
    pub(crate) async fn sample(
        &self,
        app_id: &str,
        transaction: i64,
        id: i64,
    ) -> Result<Option<SampleRow>, StoreError> {
        let mut query = QueryBuilder::new(format!(
            "SELECT {COLUMNS}, samples.document
             FROM samples JOIN transactions ON transactions.id = samples.transaction_id
             WHERE transactions.app_id = "
        ));
        query.push_bind(app_id.to_owned()).push(" AND samples.transaction_id = ").push_bind(transaction);
        query.push(" AND samples.id = ").push_bind(id);
        let Some(row) = query.build().read_optional(&self.readers).await? else { return Ok(None) };
        Ok(Some(SampleRow { summary: summary(&row)?, document: unpack(row.try_get("document")?)? }))
    }

    /// Returns the other samples of a sample's trace in an organization that are the nearest to it in time, in the order of
    /// their start. A document that cannot be read hides only itself.
    pub(crate) async fn trace_samples(
        &self,
        organization_id: &str,
        trace_id: &str,
        (own, happened_at): (i64, i64),
        limit: i64,
    ) -> Result<Vec<TraceSampleRow>, StoreError> {
        let mut query = QueryBuilder::new(format!(
            "SELECT {COLUMNS}, samples.document, samples.external_id, samples.transaction_id, transactions.name AS
                    transaction_name, transactions.kind, organizations.id AS organization_id,
                    organizations.short_name AS organization, apps.id AS app_id, apps.short_name AS app
             FROM samples JOIN transactions ON transactions.id = samples.transaction_id
             JOIN apps ON apps.id = transactions.app_id JOIN organizations ON organizations.id = apps.organization_id
             WHERE samples.id IN (
                 SELECT samples.id FROM samples JOIN transactions ON transactions.id = samples.transaction_id
                 JOIN apps ON apps.id = transactions.app_id WHERE samples.trace_id <> '' AND samples.trace_id = "
        ));
        query.push_bind(trace_id.to_owned()).push(" AND apps.organization_id = ").push_bind(organization_id.to_owned());
        query.push(" AND samples.id <> ").push_bind(own);
        query.push(" ORDER BY abs(samples.happened_at - ").push_bind(happened_at).push("), samples.id LIMIT ");
        query
            .push_bind(limit)
            .push(") AND samples.trace_id <> '' AND samples.trace_id = ")
            .push_bind(trace_id.to_owned());
        query.push(" ORDER BY samples.happened_at, samples.id");
        let sample = |row: &Row<'_>| {
            let Ok(document) = unpack::<SampleDocument>(row.try_get("document")?) else { return Ok(None) };
            Ok::<_, StoreError>(Some(TraceSampleRow {
                app: AppName {
                    organization_id: row.try_get("organization_id")?,
                    organization: row.try_get("organization")?,
                    id: row.try_get("app_id")?,
                    name: row.try_get("app")?,
                },
                transaction: row.try_get("transaction_id")?,
                name: row.try_get("transaction_name")?,
                kind: row.try_get("kind")?,
                external_id: row.try_get("external_id")?,
                sample: SampleRow { summary: summary(row)?, document: without_facts(document) },
            }))
        };
        let mut samples = Vec::new();
        query.build().read_each(&self.readers, sample, |sample| samples.extend(sample)).await?;
        Ok(samples)
    }

    /// Finds an app's sample by the id that the agent gave it. Returns the transaction's id and the sample's id.
    pub(crate) async fn find_sample(&self, app_id: &str, external_id: &str) -> Result<Option<(i64, i64)>, StoreError> {
        let row = query(
            "SELECT samples.transaction_id, samples.id
             FROM samples JOIN transactions ON transactions.id = samples.transaction_id
             WHERE transactions.app_id = ? AND samples.external_id = ? AND samples.external_id <> ''
             ORDER BY samples.id LIMIT 1",
        )
        .bind(app_id)
        .bind(external_id)
        .read_optional(&self.readers)
        .await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// Returns the stacks of an app's sites, each with the oldest call first, as far as agents sent them.
    pub(crate) async fn span_stacks(
        &self,
        app_id: &str,
        sites: &[&str],
    ) -> Result<HashMap<String, Vec<Frame>>, StoreError> {
        // No agent's site has U+0000, which a text of PostgreSQL cannot have.
        let sites: Vec<&&str> = sites.iter().filter(|site| !site.contains('\0')).collect();
        let sites = serde_json::to_string(&sites).map_err(std::io::Error::from)?;
        let rows =
            query("SELECT site, frames FROM span_stacks WHERE app_id = ? AND site IN (SELECT value FROM json_each(?))")
                .bind(app_id)
                .bind(sites);
        let stack = |row: &Row<'_>| Ok::<_, StoreError>((row.try_get("site")?, row.try_get::<String, _>("frames")?));
        let mut stacks = HashMap::new();
        let mut size = 0;
        rows.read_each(&self.readers, stack, |(site, frames): (String, String)| {
            size += frames.len();
            // A damaged stack hides only itself.
            if size <= MAX_STACKS
                && let Ok(frames) = serde_json::from_str(&frames)
            {
                stacks.insert(site, frames);
            }
        })
        .await?;
        Ok(stacks)
    }
}

/// Leaves out the values and stacks of a document, which the sample's own page shows.
fn without_facts(mut document: SampleDocument) -> SampleDocument {
    for group in &mut document.groups {
        group.extra.clear();
        group.frames.clear();
        group.sites.clear();
        group.is_cut = false;
    }
    document
}

pub(super) fn summary(row: &Row<'_>) -> Result<SampleSummaryRow, StoreError> {
    Ok(SampleSummaryRow {
        id: row.try_get("id")?,
        happened_at: row.try_get("happened_at")?,
        duration_ms: row.try_get("duration_ms")?,
        result: row.try_get("result")?,
        outcome: row.try_get("outcome")?,
        average_of: row.try_get("average_of")?,
    })
}
