//! The changes of the schema.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Every change of the schema, in order: number, name, statements. A released one is never edited.
const MIGRATIONS: [(i64, &str, &str); 4] = [
    (1, "initial", include_str!("migrations/0001_initial.sql")),
    (2, "losses", include_str!("migrations/0002_losses.sql")),
    (3, "drops", include_str!("migrations/0003_drops.sql")),
    (4, "failed samples", include_str!("migrations/0004_failed_samples.sql")),
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
}
