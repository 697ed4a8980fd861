//! An app's jobs: transactions that are no requests, and the schedules of those that check in.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::transactions::rollup_span;
use super::trend::Trend;
use super::{AppIdentity, CronJob, CronState, Query, QueryError, Range};
use crate::changes::Rollup;
use crate::result_class::ResultClass;
use crate::store::OTHER_NAMES;
use crate::store::read::{LatestRuns, RollupRow, RollupSpan, RunSum, SeenTransactionRow};

/// The largest number of scheduled jobs in a list.
const MAX_CRONS: i64 = 1_000;

/// The parts of kinds that only requests, and what browsers load, have.
const REQUESTS: [&str; 5] = ["web", "request", "rpc", "page-load", "route-change"];

/// The starts of the names of requests without a kind.
const METHODS: [&str; 7] = ["GET ", "POST ", "PUT ", "DELETE ", "HEAD ", "OPTIONS ", "PATCH "];

/// The state of a job. Late and failed jobs come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JobState {
    /// Its next run did not start in time.
    Late,
    /// Its last run failed.
    Failed,
    /// A run has started and not ended.
    Running,
    /// Its last run succeeded.
    Ok,
    /// The result of its last run is not known.
    Unknown,
}

/// The order of jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum JobOrder {
    /// Late ones first, then failed ones, then those with the most time.
    #[default]
    State,
    /// By name.
    Name,
    /// The last run first.
    LastRun,
    /// The most runs first.
    Runs,
    /// The longest average first.
    Average,
    /// The most failed runs first.
    Failed,
}

/// A job: what its runs did in a range, and its schedule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Job {
    /// The name of the transaction or of the monitor.
    pub(crate) name: String,
    /// The kind of the transaction, such as `task.cron`; empty for a monitor without transactions in the range.
    pub(crate) kind: String,
    /// The id of the transaction; `null` for a monitor without transactions in the range.
    pub(crate) transaction_id: Option<i64>,
    /// The state.
    pub(crate) state: JobState,
    /// The schedule and the last check-in, if it checks in.
    pub(crate) cron: Option<CronJob>,
    /// The last run, RFC 3339 in UTC: its start for a job that checks in, or else its minute.
    #[schema(value_type = String)]
    pub(crate) last_run_at: Timestamp,
    /// The result of the last run; of several runs in the same minute, that of a failed one. `null` if it is not known.
    pub(crate) last_result: Option<String>,
    /// The number of runs.
    pub(crate) runs: u64,
    /// The number of failed runs.
    pub(crate) failed: u64,
    /// The mean duration in milliseconds; `null` without runs.
    pub(crate) average_ms: Option<f64>,
    /// The duration in milliseconds that 95 % of the runs did not exceed, within 1 %; `null` without runs.
    pub(crate) p95_ms: Option<f64>,
    /// The time in milliseconds that the latest sampled runs waited before they started, on average; `null` if the agent does
    /// not send it.
    pub(crate) waited_ms: Option<f64>,
    /// The number of runs in each of some equal steps of the range.
    pub(crate) trend: Vec<u64>,
}

/// Jobs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// The number of all jobs that ran in the range, or have a schedule.
    pub(crate) total: usize,
    /// The number of those that are late.
    pub(crate) late: usize,
    /// The number of those whose last run failed, as far as they check in.
    pub(crate) failed: usize,
    /// The requested part of the list.
    pub(crate) jobs: Vec<Job>,
}

/// A job before its latest runs are read.
struct Known {
    name: String,
    kind: String,
    transaction: Option<i64>,
    last_run_at: Timestamp,
    sum: RunSum,
    cron: Option<CronJob>,
}

impl JobState {
    /// Returns the place of the state among others: jobs that need a look come first.
    const fn rank(self) -> u8 {
        match self {
            Self::Late => 0,
            Self::Failed => 1,
            Self::Running | Self::Ok | Self::Unknown => 2,
        }
    }
}

impl JobOrder {
    /// The orders with their names in parameters.
    pub(crate) const NAMES: [(&'static str, Self); 6] = [
        ("state", Self::State),
        ("name", Self::Name),
        ("last", Self::LastRun),
        ("runs", Self::Runs),
        ("average", Self::Average),
        ("failed", Self::Failed),
    ];

    /// Returns the order with a name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, order)| order)
    }

    fn sort(self, jobs: &mut [Known]) {
        jobs.sort_by(|a, b| {
            let first = match self {
                Self::State => a.state().rank().cmp(&b.state().rank()).then(b.sum.sum_ms.total_cmp(&a.sum.sum_ms)),
                Self::Name => a.name.cmp(&b.name),
                Self::LastRun => b.last_run_at.cmp(&a.last_run_at),
                Self::Runs => b.sum.count.cmp(&a.sum.count),
                Self::Average => b.average_ms().unwrap_or(0.0).total_cmp(&a.average_ms().unwrap_or(0.0)),
                Self::Failed => b.sum.failed.cmp(&a.sum.failed),
            };
            first.then_with(|| a.name.cmp(&b.name)).then_with(|| a.kind.cmp(&b.kind))
        });
    }
}

impl Query {
    /// Returns the jobs of an app.
    pub(crate) async fn jobs(
        &self,
        app: &AppIdentity,
        range: &Range,
        order: JobOrder,
        (limit, offset): (usize, usize),
        now: Timestamp,
    ) -> Result<JobList, QueryError> {
        let mut jobs = self.known_jobs(app, range, now).await?;
        let total = jobs.len();
        let count = |state: JobState| jobs.iter().filter(|job| job.state() == state).count();
        let (late, failed) = (count(JobState::Late), count(JobState::Failed));
        order.sort(&mut jobs);
        let shown: Vec<Known> = jobs.into_iter().skip(offset).take(limit).collect();
        let ids: Vec<i64> = shown.iter().filter_map(|job| job.transaction).collect();
        let latest = self.store.latest_runs(&app.id, &ids, range.micros()).await?;
        let mut latest: HashMap<i64, LatestRuns> = ids.iter().copied().zip(latest).collect();
        let mut durations: HashMap<i64, Rollup> = HashMap::new();
        if !ids.is_empty() {
            let rows = rollup_span(app, range, Some(&ids));
            let add = |row: RollupRow| {
                durations.entry(row.transaction).or_default().merge(&row.rollup);
            };
            self.store.each_longest_rollup(rows, add).await?;
        }
        let mut trends = self.run_trends(app, &ids, range).await?;
        let job = |known: Known| {
            let id = known.transaction.unwrap_or_default();
            let p95_ms = durations.get(&id).and_then(|all| all.quantile(0.95));
            known.job(latest.remove(&id).unwrap_or_default(), p95_ms, trends.remove(&id).unwrap_or_default())
        };
        Ok(JobList { total, late, failed, jobs: shown.into_iter().map(job).collect() })
    }

    /// Returns all jobs that ran in a range or check in, with their sums.
    async fn known_jobs(&self, app: &AppIdentity, range: &Range, now: Timestamp) -> Result<Vec<Known>, QueryError> {
        let crons = self.crons(app, (MAX_CRONS, 0), now).await?.crons;
        let mut crons: BTreeMap<String, CronJob> = crons.into_iter().map(|cron| (cron.monitor.clone(), cron)).collect();
        let (from, _) = range.micros();
        let mut seen = self.store.seen_transactions(&app.id, from).await?;
        seen.retain(|row| is_job(&row.transaction.kind, &row.transaction.name));
        let ids: Vec<i64> = seen.iter().map(|row| row.transaction.id).collect();
        let sums = match ids.is_empty() {
            true => HashMap::new(),
            false => self.store.run_sums(rollup_span(app, range, Some(&ids))).await?,
        };
        let known = |row: SeenTransactionRow| {
            let sum = *sums.get(&row.transaction.id)?;
            let (name, kind) = (row.transaction.name, row.transaction.kind);
            let cron = crons.remove(&name);
            Some(Known {
                name,
                kind,
                transaction: Some(row.transaction.id),
                last_run_at: cron.as_ref().map_or_else(|| from_micros(row.last_seen), |cron| cron.last_started_at),
                sum,
                cron,
            })
        };
        let mut jobs: Vec<Known> = seen.into_iter().filter_map(known).collect();
        jobs.extend(crons.into_values().map(|cron| Known {
            name: cron.monitor.clone(),
            kind: String::new(),
            transaction: None,
            last_run_at: cron.last_started_at,
            sum: RunSum::default(),
            cron: Some(cron),
        }));
        Ok(jobs)
    }

    async fn run_trends(
        &self,
        app: &AppIdentity,
        transactions: &[i64],
        range: &Range,
    ) -> Result<HashMap<i64, Vec<u64>>, QueryError> {
        let trend = Trend::of(range);
        let mut trends: HashMap<i64, Vec<u64>> = HashMap::new();
        if transactions.is_empty() {
            return Ok(trends);
        }
        let rows = RollupSpan {
            resolution: trend.resolution,
            from: trend.from,
            ..rollup_span(app, range, Some(transactions))
        };
        let add = |row: RollupRow| {
            let steps = trends.entry(row.transaction).or_insert_with(|| vec![0; trend.steps]);
            if let Some(step) = steps.get_mut(trend.step_of(row.start)) {
                *step = step.saturating_add(row.rollup.count);
            }
        };
        self.store.each_rollup(rows, add).await?;
        Ok(trends)
    }
}

impl Known {
    /// Returns the state by its check-ins.
    fn state(&self) -> JobState {
        match self.cron.as_ref().map(|cron| cron.state) {
            Some(CronState::Late) => JobState::Late,
            Some(CronState::Failed) => JobState::Failed,
            Some(CronState::Running) => JobState::Running,
            Some(CronState::Ok) => JobState::Ok,
            None => JobState::Unknown,
        }
    }

    fn average_ms(&self) -> Option<f64> {
        (self.sum.count > 0).then(|| self.sum.sum_ms / self.sum.count as f64)
    }

    fn job(self, latest: LatestRuns, p95_ms: Option<f64>, trend: Vec<u64>) -> Job {
        let average_ms = self.average_ms();
        let checked_in = self.cron.as_ref().and_then(|cron| cron.last_result.clone());
        let last_result = checked_in.or(latest.result.filter(|result| !result.is_empty() && self.cron.is_none()));
        let state = match (self.state(), &last_result) {
            (JobState::Unknown, Some(result)) if ResultClass::of(result).is_failed() => JobState::Failed,
            (JobState::Unknown, Some(_)) => JobState::Ok,
            (state, _) => state,
        };
        let waits = latest.waited_ms.len() as f64;
        Job {
            name: self.name,
            kind: self.kind,
            transaction_id: self.transaction,
            state,
            last_run_at: self.last_run_at,
            cron: self.cron,
            last_result,
            runs: self.sum.count,
            failed: self.sum.failed,
            average_ms,
            p95_ms,
            waited_ms: (waits > 0.0).then(|| latest.waited_ms.iter().sum::<f64>() / waits),
            trend,
        }
    }
}

/// Returns whether a transaction is a job: neither a request nor what a browser loads.
fn is_job(kind: &str, name: &str) -> bool {
    let is_request = kind.split('.').any(|part| REQUESTS.contains(&part));
    let is_named_as_request = name.is_empty() || METHODS.iter().any(|method| name.starts_with(method));
    !is_request && !(kind.is_empty() && (is_named_as_request || name == OTHER_NAMES))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_no_jobs() {
        let jobs = [("task.cron", "report"), ("job.import", "GET it"), ("message", "orders"), ("", "celery.send_mail")];
        let others = [
            ("web.axum", "GET /"),
            ("request", "GET /"),
            ("app.rack.request", "BooksController#show"),
            ("page-load", "/books"),
            ("", "GET /books"),
            ("", ""),
            ("", OTHER_NAMES),
        ];
        assert!(jobs.iter().all(|(kind, name)| is_job(kind, name)));
        assert!(!others.iter().any(|(kind, name)| is_job(kind, name)));
    }
}
