//! Releases: which revision was completed when, and on which machines.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::time::from_micros;
use super::{AppIdentity, Query, QueryError};
use crate::store::read::{ReleaseMachineRow, ReleaseRow};

/// The largest number of machines of one release in a list.
const LISTED_MACHINES: i64 = 100;

/// The largest number of machines of a single release. The store keeps no more.
const MAX_MACHINES: i64 = 1_000;

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
        let mut releases = Vec::with_capacity(rows.len());
        for row in rows {
            let machines = self.store.release_machines(row.id, LISTED_MACHINES).await?;
            releases.push(release(row, machines));
        }
        Ok(ReleaseList { total, releases })
    }

    /// Returns a release by its revision, or else by its number: a revision can consist of digits.
    pub(crate) async fn release(&self, app: &AppIdentity, name: &str) -> Result<Option<Release>, QueryError> {
        let row = match (self.store.release_of_rev(&app.id, name).await?, name.parse()) {
            (None, Ok(number)) => self.store.release_of_number(&app.id, number).await?,
            (found, _) => found,
        };
        let Some(row) = row else { return Ok(None) };
        let machines = self.store.release_machines(row.id, MAX_MACHINES).await?;
        Ok(Some(release(row, machines)))
    }
}

fn release(row: ReleaseRow, machines: Vec<ReleaseMachineRow>) -> Release {
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
        machine_count: row.machine_count,
        machines: machines.into_iter().map(machine).collect(),
    }
}
