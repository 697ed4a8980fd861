//! The changes of the schema.

use std::time::SystemTime;

use super::engine::{Connection, Engine, Error, Kind, query};
use super::locks::{Lock, wait_for};
use super::partitions;

/// A change of the schema: number, name, statements.
type Migration = (i64, &'static str, &'static str);

/// Every change of SQLite's schema, in order. A released one is never edited.
const SQLITE: [Migration; 28] = [
    (1, "initial", include_str!("0001_initial.sql")),
    (2, "losses", include_str!("0002_losses.sql")),
    (3, "drops", include_str!("0003_drops.sql")),
    (4, "failed samples", include_str!("0004_failed_samples.sql")),
    (5, "head times", include_str!("0005_head_times.sql")),
    (6, "estimates", include_str!("0006_estimates.sql")),
    (7, "releases", include_str!("0007_releases.sql")),
    (8, "traces", include_str!("0008_traces.sql")),
    (9, "intake notes", include_str!("0009_intake_notes.sql")),
    (10, "error grouping", include_str!("0010_error_grouping.sql")),
    (11, "sessions", include_str!("0011_sessions.sql")),
    (12, "clock", include_str!("0012_clock.sql")),
    (13, "check-ins", include_str!("0013_check_ins.sql")),
    (14, "trace ids", include_str!("0014_trace_ids.sql")),
    (15, "scaled", include_str!("0015_scaled.sql")),
    (16, "compaction", include_str!("0016_compaction.sql")),
    (17, "caps", include_str!("0017_caps.sql")),
    (18, "error states", include_str!("0018_error_states.sql")),
    (19, "findings", include_str!("0019_findings.sql")),
    (20, "people", include_str!("0020_people.sql")),
    (21, "repositories", include_str!("0021_repositories.sql")),
    (22, "spans", include_str!("0022_spans.sql")),
    (23, "merged errors", include_str!("0023_merged_errors.sql")),
    (24, "notifications", include_str!("0024_notifications.sql")),
    (25, "identities", include_str!("0025_identities.sql")),
    (26, "time zones", include_str!("0026_time_zones.sql")),
    (27, "affected users", include_str!("0027_affected.sql")),
    (28, "changes without release", include_str!("0028_changes_without_release.sql")),
];

/// Every change of PostgreSQL's schema, in order. A released one is never edited.
const POSTGRES: [Migration; 14] = [
    (1, "initial", include_str!("postgres/0001_initial.sql")),
    (2, "compaction", include_str!("postgres/0002_compaction.sql")),
    (3, "caps", include_str!("postgres/0003_caps.sql")),
    (4, "error states", include_str!("postgres/0004_error_states.sql")),
    (5, "findings", include_str!("postgres/0005_findings.sql")),
    (6, "people", include_str!("postgres/0006_people.sql")),
    (7, "repositories", include_str!("postgres/0007_repositories.sql")),
    (8, "spans", include_str!("postgres/0008_spans.sql")),
    (9, "merged errors", include_str!("postgres/0009_merged_errors.sql")),
    (10, "notifications", include_str!("postgres/0010_notifications.sql")),
    (11, "identities", include_str!("postgres/0011_identities.sql")),
    (12, "time zones", include_str!("postgres/0012_time_zones.sql")),
    (13, "affected users", include_str!("postgres/0013_affected.sql")),
    (14, "changes without release", include_str!("postgres/0014_changes_without_release.sql")),
];

/// Returns the statements that make PostgreSQL's schema.
#[cfg(test)]
pub(super) fn postgres_schema() -> String {
    POSTGRES.map(|(_, _, statements)| statements).concat()
}

/// Brings the schema up to date.
///
/// Fails with [`Kind::Data`] if a newer version of the server wrote it.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let migrations = match connection.engine() {
        Engine::Sqlite => &SQLITE[..],
        Engine::Postgres => &POSTGRES[..],
    };
    migrate_to(connection, migrations)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if let Err(error) = partitions::create_missing(connection, now) {
        tracing::warn!(%error, "partitions cannot be created; it is tried again with the next removal of old rows");
    }
    Ok(())
}

fn migrate_to(connection: &mut Connection, migrations: &[Migration]) -> Result<(), Error> {
    if applied(connection).is_ok_and(|applied| applied == migrations.last().map(|(version, ..)| *version)) {
        return Ok(());
    }
    connection.transaction(|connection| {
        // Of several processes that start at the same time, one changes the schema.
        wait_for(connection, Lock::Migrations)?;
        connection.batch("CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL)")?;
        if connection.engine() == Engine::Sqlite {
            take_over(connection)?;
        }
        let applied = applied(connection)?.unwrap_or(0);
        let newest = migrations.last().map_or(0, |(version, ..)| *version);
        refuse_newer(applied, newest)?;
        for (version, name, statements) in migrations.iter().filter(|(version, ..)| *version > applied) {
            connection.batch(statements)?;
            query("INSERT INTO migrations (version, name) VALUES (?, ?)")
                .bind(*version)
                .bind(*name)
                .execute(connection)?;
        }
        Ok(())
    })
}

fn refuse_newer(applied: i64, newest: i64) -> Result<(), Error> {
    if applied <= newest {
        return Ok(());
    }
    let message = format!(
        "a newer version of opbeat wrote the database: it has schema {applied}, and this version knows {newest}; run the \
         newer version"
    );
    Err(Error::new(Kind::Data, message))
}

/// Checks that a file of SQLite is a database of the server that this version or an earlier one wrote. Changes nothing.
pub(super) fn check_known(connection: &mut Connection) -> Result<(), Error> {
    let lists = query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name IN ('migrations', '_sqlx_migrations')
         AND EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'organizations') ORDER BY name DESC",
    );
    let Some(list) = lists.fetch_optional(connection)? else {
        return Err(Error::new(Kind::Data, "it is a database of SQLite, but not one of opbeat"));
    };
    let list: &str = list.try_get(0)?;
    let applied = query(format!("SELECT max(version) FROM {list}")).fetch_one(connection)?;
    refuse_newer(applied.try_get::<Option<i64>, _>(0)?.unwrap_or(0), SQLITE.last().map_or(0, |(version, ..)| *version))
}

/// Returns the number of the last change that was applied.
fn applied(connection: &mut Connection) -> Result<Option<i64>, Error> {
    query("SELECT max(version) FROM migrations").fetch_one(connection)?.try_get(0)
}

/// Takes over the list of changes that earlier versions of the server kept in a table of their own.
fn take_over(connection: &mut Connection) -> Result<(), Error> {
    let earlier = query("SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations'").fetch_optional(connection)?;
    if earlier.is_some() {
        connection.batch(
            "INSERT INTO migrations SELECT version, description FROM _sqlx_migrations WHERE true ON CONFLICT DO NOTHING;
             DROP TABLE _sqlx_migrations;",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
