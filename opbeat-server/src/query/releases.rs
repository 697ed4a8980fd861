//! Releases: which revision was completed when, and on which machines.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::commits::{CommitSummary, CommitView};
use super::time::from_micros;
use super::{AppIdentity, ErrorPart, Query, QueryError, Range};
use crate::store::read::{ErrorGroups, ReleaseMachineRow, ReleaseRow};

/// The largest number of machines of one release in a list.
const LISTED_MACHINES: i64 = 100;

/// The largest number of machines of a single release. The store keeps no more.
const MAX_MACHINES: i64 = 1_000;

/// The number of newest releases whose times are compared.
const MAX_STARTS: i64 = 1_000;

/// The largest number of releases in a chart.
const MAX_MARKS: i64 = 30;

/// A release.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Release {
    /// Its number in the app, shown as R#7.
    pub(crate) number: i64,
    /// The revision, such as a commit's hash.
    pub(crate) rev: String,
    /// The branch, or an empty string.
    pub(crate) branch: String,
    /// `completed`, or `machine-completed` until the whole release is reported as completed.
    pub(crate) status: String,
    /// The first completion, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) first_completed_at: Timestamp,
    /// The last completion, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) last_completed_at: Timestamp,
    /// The number of errors that were seen first after its first completion, and before that of the next release.
    pub(crate) new_errors: u64,
    /// The changes by its commits; `null` if no repository is connected, or the commits were not read yet.
    pub(crate) changes: Option<CommitSummary>,
    /// The commits, the newest first, at most 500. A list of releases has none.
    pub(crate) commits: Vec<CommitView>,
    /// The number of machines that it was completed on.
    pub(crate) machine_count: i64,
    /// The machines, the last completed one first. A list has at most 100 of each release.
    pub(crate) machines: Vec<ReleaseMachine>,
}

/// A machine that a release was completed on.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct ReleaseMachine {
    /// The machine's host name.
    pub(crate) hostname: String,
    /// The last completion there, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) completed_at: Timestamp,
}

/// A release at a point of a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ReleaseMark {
    /// Its number in the app, shown as R#7.
    pub(crate) number: i64,
    /// Its first completion, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) completed_at: Timestamp,
}

/// The errors of a release. Each list has at most 50 of them, the most frequent first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseErrors {
    /// Errors that were seen first in it.
    pub(crate) new: ErrorPart,
    /// Errors that happened again in it, after they were resolved.
    pub(crate) regressed: ErrorPart,
    /// Open errors that were seen last in the release before.
    pub(crate) gone: ErrorPart,
}

/// Releases.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ReleaseList {
    /// The number of all releases of the app.
    pub(crate) total: i64,
    /// The requested part of the list, the last completed one first.
    pub(crate) releases: Vec<Release>,
}

impl Query {
    /// Returns an app's releases, the last completed one first.
    pub(crate) async fn releases(
        &self,
        app: &AppIdentity,
        (limit, offset): (i64, i64),
    ) -> Result<ReleaseList, QueryError> {
        let (rows, total) = self.store.releases(&app.id, limit, offset).await?;
        let starts = self.store.release_starts(&app.id, MAX_STARTS).await?;
        let since = rows.iter().map(|row| row.first_completed_at).min().unwrap_or(i64::MAX);
        let first_seen = self.store.first_seen_since(&app.id, since).await?;
        let mut releases = Vec::with_capacity(rows.len());
        for row in rows {
            let machines = self.store.release_machines(row.id, LISTED_MACHINES).await?;
            let new = count_within(&first_seen, time_of(&starts, row.first_completed_at));
            let changes = self.commit_summary(row.id).await?;
            releases.push(Release { changes, ..release(row, machines, new) });
        }
        Ok(ReleaseList { total, releases })
    }

    /// Returns a release by its revision, or else by its number: a revision can consist of digits.
    pub(crate) async fn release(&self, app: &AppIdentity, name: &str) -> Result<Option<Release>, QueryError> {
        match (self.store.release_of_rev(&app.id, name).await?, name.parse()) {
            (None, Ok(number)) => self.release_of_number(app, number).await,
            (found, _) => self.complete_release(app, found).await,
        }
    }

    /// Returns a release by its number.
    pub(crate) async fn release_of_number(
        &self,
        app: &AppIdentity,
        number: i64,
    ) -> Result<Option<Release>, QueryError> {
        let row = self.store.release_of_number(&app.id, number).await?;
        self.complete_release(app, row).await
    }

    async fn complete_release(
        &self,
        app: &AppIdentity,
        row: Option<ReleaseRow>,
    ) -> Result<Option<Release>, QueryError> {
        let Some(row) = row else { return Ok(None) };
        let machines = self.store.release_machines(row.id, MAX_MACHINES).await?;
        let starts = self.store.release_starts(&app.id, MAX_STARTS).await?;
        let (from, to) = time_of(&starts, row.first_completed_at);
        let first_seen = self.store.first_seen_since(&app.id, from).await?;
        let (changes, commits) = (self.commit_summary(row.id).await?, self.commits(row.id).await?);
        Ok(Some(Release { changes, commits, ..release(row, machines, count_within(&first_seen, (from, to))) }))
    }

    /// Returns the errors that began, came back and ended with a release.
    pub(crate) async fn release_errors(
        &self,
        app: &AppIdentity,
        release: &Release,
        now: Timestamp,
    ) -> Result<ReleaseErrors, QueryError> {
        let starts = self.store.release_starts(&app.id, MAX_STARTS).await?;
        let first = release.first_completed_at.as_microsecond();
        let (from, to) = time_of(&starts, first);
        let before = starts.iter().map(|(start, _)| *start).find(|start| *start < first).unwrap_or(first);
        let regressed = self.store.regressed_in(&app.id, release.number).await?;
        Ok(ReleaseErrors {
            new: self.error_part(app, ErrorGroups::FirstSeen(from, to), now).await?,
            regressed: self.error_part(app, ErrorGroups::Ids(&regressed), now).await?,
            gone: self.error_part(app, ErrorGroups::LastSeen(before, first), now).await?,
        })
    }

    /// Returns the releases that were completed within a range, the newest first.
    pub(super) async fn release_marks(&self, app: &AppIdentity, range: &Range) -> Result<Vec<ReleaseMark>, QueryError> {
        let rows = self.store.releases_between(&app.id, range.micros(), MAX_MARKS).await?;
        let mark =
            |row: ReleaseRow| ReleaseMark { number: row.number, completed_at: from_micros(row.first_completed_at) };
        Ok(rows.into_iter().map(mark).collect())
    }
}

/// Returns the time of a release: from its first completion to that of the next one. `starts` are the releases' first
/// completions with their numbers, the newest first.
fn time_of(starts: &[(i64, i64)], first_completed_at: i64) -> (i64, i64) {
    let later = starts.iter().map(|(start, _)| *start).take_while(|start| *start > first_completed_at);
    (first_completed_at, later.last().unwrap_or(i64::MAX))
}

fn count_within(times: &[i64], (from, to): (i64, i64)) -> u64 {
    times.iter().filter(|time| (from..to).contains(time)).count() as u64
}

fn release(row: ReleaseRow, machines: Vec<ReleaseMachineRow>, new_errors: u64) -> Release {
    let machine = |machine: ReleaseMachineRow| ReleaseMachine {
        hostname: machine.hostname,
        completed_at: from_micros(machine.completed_at),
    };
    Release {
        number: row.number,
        rev: row.rev,
        branch: row.branch,
        status: row.status,
        first_completed_at: from_micros(row.first_completed_at),
        last_completed_at: from_micros(row.last_completed_at),
        new_errors,
        changes: None,
        commits: Vec::new(),
        machine_count: row.machine_count,
        machines: machines.into_iter().map(machine).collect(),
    }
}
