//! The changes of the schema.

use std::time::SystemTime;

use super::engine::{Connection, Engine, Error, Kind, query};
use super::partitions;

/// A change of the schema: number, name, statements.
type Migration = (i64, &'static str, &'static str);

/// Every change of SQLite's schema, in order. A released one is never edited.
const SQLITE: [Migration; 16] = [
    (1, "initial", include_str!("migrations/0001_initial.sql")),
    (2, "losses", include_str!("migrations/0002_losses.sql")),
    (3, "drops", include_str!("migrations/0003_drops.sql")),
    (4, "failed samples", include_str!("migrations/0004_failed_samples.sql")),
    (5, "head times", include_str!("migrations/0005_head_times.sql")),
    (6, "estimates", include_str!("migrations/0006_estimates.sql")),
    (7, "releases", include_str!("migrations/0007_releases.sql")),
    (8, "traces", include_str!("migrations/0008_traces.sql")),
    (9, "intake notes", include_str!("migrations/0009_intake_notes.sql")),
    (10, "error grouping", include_str!("migrations/0010_error_grouping.sql")),
    (11, "sessions", include_str!("migrations/0011_sessions.sql")),
    (12, "clock", include_str!("migrations/0012_clock.sql")),
    (13, "check-ins", include_str!("migrations/0013_check_ins.sql")),
    (14, "trace ids", include_str!("migrations/0014_trace_ids.sql")),
    (15, "scaled", include_str!("migrations/0015_scaled.sql")),
    (16, "compaction", include_str!("migrations/0016_compaction.sql")),
];

/// Every change of PostgreSQL's schema, in order. A released one is never edited.
const POSTGRES: [Migration; 2] = [
    (1, "initial", include_str!("migrations/postgres/0001_initial.sql")),
    (2, "compaction", include_str!("migrations/postgres/0002_compaction.sql")),
];

/// The lock of PostgreSQL that a process holds while it changes the schema: any number that no other program uses.
const LOCK: i64 = 0x6f70_6265_6174;

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
        if connection.engine() == Engine::Postgres {
            connection.batch(&format!("SELECT pg_advisory_xact_lock({LOCK})"))?;
        }
        connection.batch(
            "CREATE TABLE IF NOT EXISTS migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL)",
        )?;
        if connection.engine() == Engine::Sqlite {
            take_over(connection)?;
        }
        let applied = applied(connection)?.unwrap_or(0);
        let newest = migrations.last().map_or(0, |(version, ..)| *version);
        if applied > newest {
            let message = format!(
                "a newer version of opbeat wrote the database: it has schema {applied}, and this version knows {newest}; \
                 run the newer version"
            );
            return Err(Error::new(Kind::Data, message));
        }
        for (version, name, statements) in migrations.iter().filter(|(version, ..)| *version > applied) {
            connection.batch(statements)?;
            query("INSERT INTO migrations (version, name) VALUES (?, ?)").bind(*version).bind(*name).execute(connection)?;
        }
        Ok(())
    })
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
mod tests {
    use super::*;
    use crate::changes::{BodyChanges, Changes, Rollup, SelfTime, TransactionKey};
    use crate::queue::Mark;
    use crate::sketch::Sketch;
    use crate::store::compaction::AppMarks;
    use crate::store::engine::{Opening, Pool, Purpose};
    use crate::store::read::RollupSpan;
    use crate::store::rollups;
    use crate::store::testing::TestDatabase;
    use crate::store::{Store, StoredRecord};

    #[test]
    fn rows_from_before_the_renaming_are_kept() {
        let mut database = Connection::in_memory();
        migrate_to(&mut database, &SQLITE[..2]).unwrap();
        let rows = "INSERT INTO organizations VALUES ('o', 'acme', 0);
             INSERT INTO apps (id, organization_id, short_name, created_at) VALUES ('a', 'o', 'shop', 0);
             INSERT INTO losses VALUES ('a', 60, 'refused', 2), ('a', 60, 'spans', 3), ('a', 120, 'refused', 4);";
        database.batch(rows).unwrap();
        migrate(&mut database).unwrap();
        let drops = query("SELECT start, reason, count FROM drops ORDER BY start, reason");
        let drops = drops.fetch_all(&mut database).unwrap();
        let drops: Vec<(i64, String, i64)> = drops
            .iter()
            .map(|row| (row.try_get(0).unwrap(), row.try_get(1).unwrap(), row.try_get(2).unwrap()))
            .collect();
        let expected = [(60, "rejected", 2), (60, "spans", 3), (120, "rejected", 4)];
        assert_eq!(drops, expected.map(|(start, reason, count)| (start, reason.to_owned(), count)));
    }

    #[test]
    fn durations_from_before_the_head_times_count_as_head_times() {
        let mut database = Connection::in_memory();
        migrate_to(&mut database, &SQLITE[..4]).unwrap();
        let rows = "INSERT INTO organizations VALUES ('o', 'acme', 0);
             INSERT INTO apps (id, organization_id, short_name, created_at) VALUES ('a', 'o', 'shop', 0);
             INSERT INTO transactions VALUES (1, 'a', '', 'GET /', 0, 0);";
        database.batch(rows).unwrap();
        for resolution in [60_i64, 3_600] {
            query("INSERT INTO rollups VALUES (1, ?, 0, '200', 2, 0, 30.0, 10.0, 20.0, ?)")
                .bind(resolution)
                .bind([10.0, 20.0].into_iter().collect::<Sketch>().encode())
                .execute(&mut database)
                .unwrap();
        }
        migrate(&mut database).unwrap();
        let mut rollup = Rollup::default();
        rollup.insert(60_000.0, Some(5.0), false);
        let key = TransactionKey { app_id: "a".to_owned(), kind: String::new(), name: "GET /".to_owned() };
        let (ids, rollups) = ([(key.clone(), 1)].into(), [((key, 0, "200".to_owned()), rollup)].into());
        let marks = AppMarks::load(&mut database, ["a"]).unwrap();
        rollups::write(&mut database, &ids, &marks, &rollups).unwrap();
        for resolution in [60_i64, 3_600] {
            let row = query("SELECT * FROM rollups WHERE resolution = ?").bind(resolution);
            let rollup = rollups::read(&row.fetch_one(&mut database).unwrap()).unwrap();
            assert_eq!(rollup.sketch, [10.0, 20.0, 60_000.0].into_iter().collect());
            assert_eq!(*rollup.head_sketch(), [5.0, 10.0, 20.0].into_iter().collect());
        }
    }

    #[tokio::test]
    async fn rows_by_minute_and_by_hour_of_an_earlier_version_count_once() {
        const HOUR: i64 = 3_600;
        const START: i64 = 1_793_491_200;
        for database in TestDatabase::all().await {
            let prepare = |connection: &mut Connection| match connection.engine() {
                Engine::Sqlite => migrate_to(connection, &SQLITE[..15]),
                Engine::Postgres => migrate_to(connection, &POSTGRES[..1]),
            };
            let address = database.address.clone();
            let pool = Pool::new(Opening { address, purpose: Purpose::Write, time_limit: None, prepare }, 1);
            let write = |connection: &mut Connection| {
                let last = (START + 10 * HOUR + 1_200) * 1_000_000;
                connection.batch(&format!(
                    "INSERT INTO organizations (id, short_name, created_at) VALUES ('o', 'acme', 0);
                     INSERT INTO apps (id, organization_id, short_name, created_at) VALUES ('a', 'o', 'shop', 0);
                     INSERT INTO transactions VALUES (1, 'a', '', 'GET /', 0, {last});
                     INSERT INTO error_groups (id, app_id, number, fingerprint, type_name, message, culprit, level,
                                               first_seen, last_seen, times_seen)
                     VALUES (1, 'a', 1, CAST('x' AS {}), '', '', '', '', 0, {last}, 63);",
                    if connection.engine() == Engine::Sqlite { "BLOB" } else { "BYTEA" }
                ))?;
                // One of each every ten minutes until 10:20. The rows by minute before 4:30 are removed already.
                let hours = (0..=10).map(|hour| (HOUR, hour * HOUR, if hour == 10 { 3_i64 } else { 6 }));
                let minutes = (27..=62).map(|number| (60, number * 600, 1_i64));
                for (resolution, second, count) in hours.chain(minutes) {
                    let sketch: Sketch = std::iter::repeat_n(10.0, usize::try_from(count).unwrap()).collect();
                    query("INSERT INTO rollups VALUES (1, ?, ?, '200', ?, 0, ?, 10.0, 10.0, ?, NULL)")
                        .bind(resolution)
                        .bind(START + second)
                        .bind(count)
                        .bind(10.0 * count as f64)
                        .bind(sketch.encode())
                        .execute(connection)?;
                    query("INSERT INTO breakdowns VALUES (1, ?, ?, 'app', ?, 0.0, 0)")
                        .bind(resolution)
                        .bind(START + second)
                        .bind(count)
                        .execute(connection)?;
                    query("INSERT INTO error_rollups VALUES (1, ?, ?, ?)")
                        .bind(resolution)
                        .bind(START + second)
                        .bind(count)
                        .execute(connection)?;
                }
                Ok::<_, Error>(())
            };
            pool.run(write).await.unwrap();
            pool.close().await;
            let store = Store::open(database.address.clone(), Store::TIME_LIMIT).await.unwrap();
            let check = async |expected: u64| {
                for resolution in [600, HOUR, 24 * HOUR] {
                    let (from, to) = (START, START + 24 * HOUR);
                    let span = RollupSpan { app_id: "a", transactions: None, resolution, from, to };
                    let mut count = 0;
                    store.each_rollup(span, |row| count += row.rollup.count).await.unwrap();
                    let breakdown = store.breakdown(span).await.unwrap()[0].1.count;
                    let errors = store.error_counts("a", &[1], resolution, (from, to)).await.unwrap();
                    let errors = errors.iter().map(|row| row.count).sum::<i64>().cast_unsigned();
                    assert_eq!((count, breakdown, errors), (expected, expected, 63), "{resolution}");
                }
            };
            check(63).await;
            let mut expected = 63;
            for hour in [10, 11, 20, 30, 50] {
                for second in [10 * HOUR + 1_500, 3 * HOUR, 11 * HOUR + 300, 4 * HOUR + 600] {
                    let key = TransactionKey { app_id: "a".to_owned(), kind: String::new(), name: "GET /".to_owned() };
                    let mut changes = Changes::default();
                    let mut rollup = Rollup::default();
                    rollup.insert(10.0, None, false);
                    changes.rollups.insert((key.clone(), START + second, "200".to_owned()), rollup);
                    let self_time = SelfTime { count: 1, ..SelfTime::default() };
                    changes.breakdowns.insert((key, START + second, "app".to_owned()), self_time);
                    let bodies = vec![BodyChanges::new("a".to_owned(), String::new(), 0, changes)];
                    let records = vec![StoredRecord { id: None, bodies }];
                    store.apply(records, Vec::new(), Mark::Records, 0).await.unwrap();
                    expected += 1;
                }
                check(expected).await;
                assert!(store.compact((START + hour * HOUR + 1_800) * 1_000_000).await.unwrap());
                check(expected).await;
            }
            let delete = "DELETE FROM rollups WHERE resolution < 86400 AND transaction_id = 1";
            assert!(query(delete).run(&store.writer).await.unwrap() > 0);
            let days = query("SELECT sum(CAST(count AS DOUBLE PRECISION)) FROM rollups").read_one(&store.writer).await;
            assert_eq!(days.unwrap().try_get::<f64, _>(0).unwrap(), expected as f64, "days alone have all data");
            database.remove(store).await;
        }
    }
}
