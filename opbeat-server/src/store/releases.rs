//! Releases, with the machines that they were completed on.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::{Connection, Row, Value, query};
use super::error::StoreError;
use crate::changes::NewRelease;

/// The status of a release that is completed as a whole.
const COMPLETED: &str = "completed";

/// The status of a release that is completed on machines only.
const MACHINE_COMPLETED: &str = "machine-completed";

/// The number of machines with the newest completions that are kept of each release.
const MAX_MACHINES: i64 = 1_000;

/// The number of releases of an app that are looked at, those that were completed last.
const LOOKED_AT: i64 = 100;

/// The latest releases of apps.
#[derive(Debug, Default)]
pub(super) struct Releases(BTreeMap<String, Vec<Completion>>);

/// The number of a release, and when it was completed first and last, in microseconds since 1970.
#[derive(Clone, Copy, Debug)]
struct Completion {
    number: i64,
    first: i64,
    last: i64,
}

impl Releases {
    /// Reads the releases of apps.
    pub(super) fn load<'a>(
        connection: &mut Connection,
        apps: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StoreError> {
        let apps: BTreeSet<&str> = apps.into_iter().collect();
        let lists: Vec<_> = apps.iter().map(|app_id| vec![Value::from(*app_id), LOOKED_AT.into()]).collect();
        let rows = connection.rows_many(
            "SELECT number, first_completed_at, last_completed_at FROM releases
             WHERE app_id = ? ORDER BY last_completed_at DESC, number DESC LIMIT ?",
            &lists,
        )?;
        let completion =
            |row: &Row<'_>| Ok(Completion { number: row.try_get(0)?, first: row.try_get(1)?, last: row.try_get(2)? });
        let releases = |(app_id, rows): (&str, Vec<Row<'_>>)| {
            Ok((app_id.to_owned(), rows.iter().map(completion).collect::<Result<_, StoreError>>()?))
        };
        apps.into_iter().zip(rows).map(releases).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the number of the app's release that was completed last at a time, in microseconds since 1970, or 0.
    pub(super) fn at(&self, app_id: &str, time: i64) -> i64 {
        let releases = self.0.get(app_id).into_iter().flatten();
        // A release can be completed again, after another one.
        let completed = releases.filter_map(|release| {
            let at = [release.last, release.first].into_iter().find(|completed| *completed <= time)?;
            Some((at, release.number))
        });
        completed.max().map_or(0, |(_, number)| number)
    }
}

/// Adds completed releases. A revision that is released again keeps its number, and gets another machine or time.
pub(super) fn write(connection: &mut Connection, releases: &[NewRelease]) -> Result<(), StoreError> {
    for release in releases {
        let id = match update(connection, release)? {
            Some(id) => id,
            None => create(connection, release)?,
        };
        if !release.machine.is_empty() {
            add_machine(connection, id, release)?;
        }
    }
    Ok(())
}

/// Updates the release of the same revision, and returns its id.
fn update(connection: &mut Connection, release: &NewRelease) -> Result<Option<i64>, StoreError> {
    let row = query(
        "UPDATE releases SET
             branch = CASE WHEN ?1 <> '' AND (?2 >= last_completed_at OR branch = '') THEN ?1 ELSE branch END,
             status = CASE WHEN CAST(?3 AS BIGINT) <> 0 THEN ?4 ELSE status END,
             first_completed_at = least(first_completed_at, ?2), last_completed_at = greatest(last_completed_at, ?2)
         WHERE app_id = ?5 AND rev = ?6 RETURNING id",
    )
    .bind(&release.branch)
    .bind(release.completed_at)
    .bind(release.is_complete)
    .bind(COMPLETED)
    .bind(&release.app_id)
    .bind(&release.rev)
    .fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn create(connection: &mut Connection, release: &NewRelease) -> Result<i64, StoreError> {
    let number = query(
        "UPDATE apps SET next_release_number = next_release_number + 1 WHERE id = ? RETURNING next_release_number - 1",
    )
    .bind(&release.app_id)
    .fetch_one(&mut *connection)?;
    let row = query(
        "INSERT INTO releases (app_id, number, rev, branch, status, first_completed_at, last_completed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) RETURNING id",
    )
    .bind(&release.app_id)
    .bind(number.try_get::<i64, _>(0)?)
    .bind(&release.rev)
    .bind(&release.branch)
    .bind(if release.is_complete { COMPLETED } else { MACHINE_COMPLETED })
    .bind(release.completed_at)
    .fetch_one(connection)?;
    Ok(row.try_get(0)?)
}

fn add_machine(connection: &mut Connection, id: i64, release: &NewRelease) -> Result<(), StoreError> {
    query(
        "INSERT INTO release_machines (release_id, hostname, completed_at) VALUES (?, ?, ?)
         ON CONFLICT (release_id, hostname) DO UPDATE
         SET completed_at = greatest(release_machines.completed_at, excluded.completed_at)",
    )
    .bind(id)
    .bind(&release.machine)
    .bind(release.completed_at)
    .execute(&mut *connection)?;
    query(
        "DELETE FROM release_machines WHERE release_id = ?1 AND hostname IN (
             SELECT hostname FROM release_machines WHERE release_id = ?1
             ORDER BY completed_at DESC, hostname LIMIT 1000000000 OFFSET ?2
         )",
    )
    .bind(id)
    .bind(MAX_MACHINES)
    .execute(connection)?;
    Ok(())
}
