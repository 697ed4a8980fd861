//! The changes of the schema.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Every change of the schema, in order: number, name, statements. A released one is never edited.
const MIGRATIONS: [(i64, &str, &str); 15] = [
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
    (15, "stored records", include_str!("migrations/0015_stored_records.sql")),
];

/// Returns all migrations.
pub(super) fn migrator() -> Migrator {
    migrator_of(&MIGRATIONS)
}

fn migrator_of(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |&(version, name, statements): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, statements.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, Row, SqliteConnection};

    use super::*;
    use crate::changes::{Rollup, TransactionKey};
    use crate::sketch::Sketch;
    use crate::store::rollups;

    #[tokio::test]
    async fn rows_from_before_the_renaming_are_kept() {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrator_of(&MIGRATIONS[..2]).run(&mut database).await.unwrap();
        let rows = "INSERT INTO organizations VALUES ('o', 'acme', 0);
             INSERT INTO apps (id, organization_id, short_name, created_at) VALUES ('a', 'o', 'shop', 0);
             INSERT INTO losses VALUES ('a', 60, 'refused', 2), ('a', 60, 'spans', 3), ('a', 120, 'refused', 4);";
        sqlx::raw_sql(rows).execute(&mut database).await.unwrap();
        migrator().run(&mut database).await.unwrap();
        let drops = sqlx::query("SELECT start, reason, count FROM drops ORDER BY start, reason");
        let drops = drops.fetch_all(&mut database).await.unwrap();
        let drops: Vec<(i64, String, i64)> = drops.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        let expected = [(60, "rejected", 2), (60, "spans", 3), (120, "rejected", 4)];
        assert_eq!(drops, expected.map(|(start, reason, count)| (start, reason.to_owned(), count)));
    }

    #[tokio::test]
    async fn durations_from_before_the_head_times_count_as_head_times() {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrator_of(&MIGRATIONS[..4]).run(&mut database).await.unwrap();
        let rows = "INSERT INTO organizations VALUES ('o', 'acme', 0);
             INSERT INTO apps (id, organization_id, short_name, created_at) VALUES ('a', 'o', 'shop', 0);
             INSERT INTO transactions VALUES (1, 'a', '', 'GET /', 0, 0);";
        sqlx::raw_sql(rows).execute(&mut database).await.unwrap();
        for resolution in rollups::RESOLUTIONS {
            sqlx::query("INSERT INTO rollups VALUES (1, ?, 0, '200', 2, 0, 30.0, 10.0, 20.0, ?)")
                .bind(resolution)
                .bind([10.0, 20.0].into_iter().collect::<Sketch>().encode())
                .execute(&mut database)
                .await
                .unwrap();
        }
        migrator().run(&mut database).await.unwrap();
        let mut rollup = Rollup::default();
        rollup.insert(60_000.0, Some(5.0), false);
        let key = TransactionKey { app_id: "a".to_owned(), kind: String::new(), name: "GET /".to_owned() };
        let (ids, rollups) = ([(key.clone(), 1)].into(), [((key, 0, "200".to_owned()), rollup)].into());
        rollups::write(&mut database, &ids, &rollups).await.unwrap();
        for resolution in rollups::RESOLUTIONS {
            let row = sqlx::query("SELECT * FROM rollups WHERE resolution = ?").bind(resolution);
            let rollup = rollups::read(&row.fetch_one(&mut database).await.unwrap()).unwrap();
            assert_eq!(rollup.sketch, [10.0, 20.0, 60_000.0].into_iter().collect());
            assert_eq!(*rollup.head_sketch(), [5.0, 10.0, 20.0].into_iter().collect());
        }
    }
}
