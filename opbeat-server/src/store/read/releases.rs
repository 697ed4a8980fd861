//! Releases and their machines.

use crate::error_status::Event;
use crate::store::database::Store;
use crate::store::engine::{QueryBuilder, Row, query};
use crate::store::error::StoreError;

/// A release.
#[derive(Clone, Debug)]
pub(crate) struct ReleaseRow {
    /// Its id in the store.
    pub(crate) id: i64,
    /// Its number in the app.
    pub(crate) number: i64,
    /// The revision.
    pub(crate) rev: String,
    /// The branch, or an empty string.
    pub(crate) branch: String,
    /// `completed` or `machine-completed`.
    pub(crate) status: String,
    /// The first completion, in microseconds since 1970.
    pub(crate) first_completed_at: i64,
    /// The last completion, in microseconds since 1970.
    pub(crate) last_completed_at: i64,
    /// The number of machines.
    pub(crate) machine_count: i64,
}

/// A machine that a release was completed on.
#[derive(Clone, Debug)]
pub(crate) struct ReleaseMachineRow {
    /// The machine's host name.
    pub(crate) hostname: String,
    /// The last completion there, in microseconds since 1970.
    pub(crate) completed_at: i64,
}

const SELECT: &str = "SELECT id, number, rev, branch, status, first_completed_at, last_completed_at,
    (SELECT count(*) FROM release_machines WHERE release_id = releases.id) AS machine_count
    FROM releases WHERE app_id = ";

impl Store {
    /// Returns some of an app's releases, the newest first, and the number of all.
    pub(crate) async fn releases(
        &self,
        app_id: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<ReleaseRow>, i64), StoreError> {
        let mut select = QueryBuilder::new(SELECT);
        select.push_bind(app_id.to_owned()).push(" ORDER BY last_completed_at DESC, number DESC LIMIT ");
        select.push_bind(limit).push(" OFFSET ").push_bind(offset);
        let rows = select.build().read_all(&self.readers).await?;
        let total = query("SELECT count(*) FROM releases WHERE app_id = ?").bind(app_id);
        let total = total.read_one(&self.readers).await?.try_get(0)?;
        Ok((rows.iter().map(release).collect::<Result<_, _>>()?, total))
    }

    /// Returns an app's release by its revision.
    pub(crate) async fn release_of_rev(&self, app_id: &str, rev: &str) -> Result<Option<ReleaseRow>, StoreError> {
        let mut select = QueryBuilder::new(SELECT);
        select.push_bind(app_id.to_owned()).push(" AND rev = ").push_bind(rev.to_owned());
        let row = select.build().read_optional(&self.readers).await?;
        row.as_ref().map(release).transpose()
    }

    /// Returns an app's release by its number.
    pub(crate) async fn release_of_number(&self, app_id: &str, number: i64) -> Result<Option<ReleaseRow>, StoreError> {
        let mut select = QueryBuilder::new(SELECT);
        select.push_bind(app_id.to_owned()).push(" AND number = ").push_bind(number);
        let row = select.build().read_optional(&self.readers).await?;
        row.as_ref().map(release).transpose()
    }

    /// Returns the newest of an app's releases that were completed first within a time, in microseconds since 1970, the
    /// newest first.
    pub(crate) async fn releases_between(
        &self,
        app_id: &str,
        (from, to): (i64, i64),
        limit: i64,
    ) -> Result<Vec<ReleaseRow>, StoreError> {
        let mut select = QueryBuilder::new(SELECT);
        // A release is completed last at or after its first completion.
        select.push_bind(app_id.to_owned()).push(" AND last_completed_at >= ").push_bind(from);
        select.push(" AND first_completed_at >= ").push_bind(from).push(" AND first_completed_at < ").push_bind(to);
        select.push(" ORDER BY first_completed_at DESC, number DESC LIMIT ").push_bind(limit);
        select.build().read_all(&self.readers).await?.iter().map(release).collect()
    }

    /// Returns when the releases of an app were completed first, in microseconds since 1970: the newest, up to a number of
    /// them, the newest first.
    pub(crate) async fn release_starts(&self, app_id: &str, limit: i64) -> Result<Vec<(i64, i64)>, StoreError> {
        let rows = query(
            "SELECT number, first_completed_at FROM releases WHERE app_id = ?
             ORDER BY last_completed_at DESC, number DESC LIMIT ?",
        )
        .bind(app_id)
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let mut starts = rows
            .iter()
            .map(|row| Ok((row.try_get(1)?, row.try_get(0)?)))
            .collect::<Result<Vec<(i64, i64)>, StoreError>>()?;
        starts.sort_unstable_by(|a, b| b.cmp(a));
        Ok(starts)
    }

    /// Returns when each error group of an app was seen first, for those since a time, in microseconds since 1970.
    pub(crate) async fn first_seen_since(&self, app_id: &str, since: i64) -> Result<Vec<i64>, StoreError> {
        let rows = query("SELECT first_seen FROM error_groups WHERE app_id = ? AND first_seen >= ? AND last_seen >= ? AND merged_into IS NULL")
            .bind(app_id)
            .bind(since)
            .bind(since)
            .read_all(&self.readers)
            .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Returns the error groups of an app that regressed in a release, by their ids.
    pub(crate) async fn regressed_in(&self, app_id: &str, number: i64) -> Result<Vec<i64>, StoreError> {
        let event = Event::Regressed { release: number };
        let event = serde_json::to_string(&event).map_err(std::io::Error::from)?;
        let rows = query(
            "SELECT DISTINCT error_groups.id FROM error_groups JOIN activities ON activities.group_id = error_groups.id
             WHERE error_groups.app_id = ? AND error_groups.merged_into IS NULL AND activities.event = ? ORDER BY error_groups.id",
        )
        .bind(app_id)
        .bind(event)
        .read_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Returns machines that a release was completed on, the last completed one first.
    pub(crate) async fn release_machines(
        &self,
        release: i64,
        limit: i64,
    ) -> Result<Vec<ReleaseMachineRow>, StoreError> {
        let rows = query(
            "SELECT hostname, completed_at FROM release_machines WHERE release_id = ?
             ORDER BY completed_at DESC, hostname LIMIT ?",
        )
        .bind(release)
        .bind(limit)
        .read_all(&self.readers)
        .await?;
        let machine =
            |row: &Row<'_>| Ok(ReleaseMachineRow { hostname: row.try_get(0)?, completed_at: row.try_get(1)? });
        rows.iter().map(machine).collect()
    }
}

fn release(row: &Row<'_>) -> Result<ReleaseRow, StoreError> {
    Ok(ReleaseRow {
        id: row.try_get("id")?,
        number: row.try_get("number")?,
        rev: row.try_get("rev")?,
        branch: row.try_get("branch")?,
        status: row.try_get("status")?,
        first_completed_at: row.try_get("first_completed_at")?,
        last_completed_at: row.try_get("last_completed_at")?,
        machine_count: row.try_get("machine_count")?,
    })
}
