//! Tests of the changes of the schema.

use std::path::Path;

use super::*;
use crate::changes::{BodyChanges, Changes, Rollup, SelfTime, TransactionKey, pack};
use crate::queue::{Mark, Position, QueueId};
use crate::role::Role;
use crate::sketch::Sketch;
use crate::store::engine::{Opening, Pool, Purpose};
use crate::store::marks::AppMarks;
use crate::store::notes::NewNotes;
use crate::store::read::{AppFilter, ErrorFilter, ErrorOrder, RollupSpan, SampleOrder};
use crate::store::testing::TestDatabase;
use crate::store::transactions::TransactionIds;
use crate::store::{Scope, Store, StoredRecord, rollups};

/// The rows that each schema adds to those of the one before it: the version, the table, and the values by column.
const ROWS: [(usize, &str, &str); 29] = [
    (1, "organizations (id, short_name, created_at)", "('o', 'acme', 1)"),
    (1, "apps (id, organization_id, short_name, created_at, next_error_number)", "('a', 'o', 'shop', 1, 2)"),
    (1, "secret_tokens (hash, app_id, created_at)", "(zeroblob(32), 'a', 1)"),
    (1, "read_tokens (hash, organization_id, created_at)", "(zeroblob(32), 'o', 1)"),
    (1, "transactions (id, app_id, kind, name, first_seen, last_seen)", "(1, 'a', '', 'GET /', 60000000, 60000000)"),
    (
        1,
        "rollups (transaction_id, resolution, start, result, count, failed, sum_ms, min_ms, max_ms, sketch)",
        "(1, 60, 60, '200', 2, 0, 30.0, 10.0, 20.0, :sketch)",
    ),
    (1, "breakdowns (transaction_id, resolution, start, kind, count, self_ms)", "(1, 60, 60, 'db', 2, 10.0)"),
    (
        1,
        "samples (id, transaction_id, happened_at, duration_ms, result, outcome, external_id, document)",
        "(1, 1, 60000000, 20.0, '500', '', 't', :sample)",
    ),
    (
        1,
        "error_groups (id, app_id, number, fingerprint, type_name, message, culprit, level, first_seen, last_seen, \
         times_seen)",
        "(1, 'a', 1, x'0101', 'E', 'no books', '', 'error', 60000000, 60000000, 3)",
    ),
    (1, "error_rollups (group_id, resolution, start, count)", "(1, 60, 60, 3)"),
    (
        1,
        "error_occurrences (id, group_id, happened_at, transaction_name, transaction_external_id, \
         client_supplied_id, document)",
        "(1, 1, 60000000, 'GET /', 't', 'e', :error)",
    ),
    (1, "queue_cursor (queue, segment, position)", "('intake', 3, 4)"),
    (1, "stored_bodies (app_id, key, stored_at)", "('a', 'key', 1)"),
    (1, "parked_messages (id, parked_at, reason, message)", "(1, 1, 'no pens', x'0102')"),
    (
        7,
        "releases (id, app_id, number, rev, branch, status, first_completed_at, last_completed_at)",
        "(1, 'a', 1, 'a1b2c3', 'main', 'completed', 1, 2)",
    ),
    (7, "release_machines (release_id, hostname, completed_at)", "(1, 'web', 2)"),
    (
        7,
        "deployments (id, app_id, received_at, component_count, package_count, components, document)",
        "(1, 'a', 1, 1, 0, :components, :deployment)",
    ),
    (7, "deployment_machines (app_id, hostname, received_at, deployment_id)", "('a', 'web', 1, 1)"),
    (7, "allowed_origins (app_id, origin, created_at)", "('a', 'https://shop.example', 1)"),
    (8, "pending_spans (app_id, trace_id, span_id, received_at, document)", "('a', x'01', x'01', 1, x'')"),
    (8, "joined_transactions (app_id, trace_id, span_id, received_at, document)", "('a', x'01', x'01', 1, x'')"),
    (
        8,
        "trace_exceptions (app_id, trace_id, exception, span_id, is_log, is_paired, received_at)",
        "('a', x'01', x'01', x'01', 0, 0, 1)",
    ),
    (9, "intake_notes (app_id, start, action, reason, count)", "('a', 60, 'changed', 'too_long', 5)"),
    (11, "sessions (hash, token_hash, created_at, expires_at)", "(zeroblob(32), zeroblob(32), 1, 9)"),
    (12, "clock (id, seen_at, steady_since)", "(1, 1, 1)"),
    (
        13,
        "check_ins (app_id, monitor, started_at, schedule, time_zone, duration_ms, result)",
        "('a', 'backup', 1, 'every 60s', '', 1.0, 'ok')",
    ),
    // Tables that a later schema renames or replaces, by the schemas that have them.
    (2, "losses (app_id, start, what, count)", "('a', 60, 'spans', 7)"),
    (3, "drops (app_id, start, reason, count)", "('a', 60, 'spans', 7)"),
    (6, "span_stacks (app_id, site, frames)", "('a', 'db SELECT', '[]')"),
];

/// Writes a file as the server with a schema wrote it, with a row in each table.
fn write_released(path: &Path, version: usize) {
    let file = crate::store::engine::SqliteFile { path: path.to_owned(), may_be_created: true, may_be_empty: true };
    let mut database = Connection::file(&file);
    migrate_to(&mut database, &SQLITE[..version]).unwrap();
    let bytes = |bytes: &[u8]| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("x'{digits}'")
    };
    let packed = |document: &str| bytes(&pack(document.as_bytes()).unwrap());
    let sketch = bytes(&[10.0, 20.0].into_iter().collect::<Sketch>().encode());
    let module =
        r#"{"module": {"name": "shop", "type": "repository"}, "name": "shop", "type": "repository", "version": "1"}"#;
    for (_, table, values) in
        ROWS.iter().filter(|(since, table, _)| *since <= version && !(table.starts_with("losses") && version > 2))
    {
        let values = values.replace(":sketch", &sketch).replace(":sample", &packed(r#"{"context": {}}"#));
        let values = values.replace(":error", &packed(r#"{"message": "no books"}"#));
        let values = values.replace(":components", &packed(&format!("[{module}]")));
        let values =
            values.replace(":deployment", &packed(&format!(r#"{{"components": [{module}], "packages": []}}"#)));
        database.batch(&format!("INSERT INTO {table} VALUES {values}")).unwrap();
    }
    if version < 6 {
        let stack = "INSERT INTO span_stacks (app_id, kind, signature, frames) VALUES ('a', 'db', 'SELECT', '[]')";
        database.batch(stack).unwrap();
    }
    // Those servers kept the list of changes in a table of their own.
    database
        .batch(
            "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
                 installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL,
                 checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);
             INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 SELECT version, name, true, x'', 0 FROM migrations;
             DROP TABLE migrations;",
        )
        .unwrap();
}

/// Asserts that the rows of the first schema can be read.
async fn assert_readable(store: &Store, version: usize) {
    let app = store.find_app(&Scope::Everything, "acme", "shop").await.unwrap().unwrap();
    let (apps, _) = store.apps(&Scope::Everything, AppFilter::default(), 0, (1, 0)).await.unwrap();
    assert_eq!((app.id.as_str(), apps[0].count, apps[0].open_errors), ("a", 2, 1));
    assert_eq!(store.secret_tokens().await.unwrap().len(), 1);
    assert_eq!(
        store.rights_of(&[0; 32]).await.unwrap().map(|rights| rights.scope.role_in("o")),
        Some(Some(Role::Reader))
    );
    let span = RollupSpan { app_id: "a", transactions: None, resolution: 60, from: 0, to: 120 };
    assert_eq!(store.transaction_sums(span).await.unwrap()[0].sum_ms, 30.0);
    let mut rollups = Vec::new();
    store.each_rollup(span, |row| rollups.push(row.rollup)).await.unwrap();
    assert_eq!((rollups.len(), rollups[0].sketch.clone()), (1, [10.0, 20.0].into_iter().collect()));
    assert_eq!(store.breakdown(span).await.unwrap()[0].1.count, 2);
    let range = (0, i64::MAX);
    let samples = store.samples("a", 1, range, SampleOrder::Newest, 10).await.unwrap();
    assert!(store.sample("a", 1, samples[0].id).await.unwrap().is_some());
    assert_eq!(store.find_sample("a", "t").await.unwrap(), Some((1, 1)));
    assert!(store.span_stacks("a", &["db SELECT"]).await.unwrap().contains_key("db SELECT"));
    let (groups, _) = store.error_groups("a", ErrorFilter::default(), ErrorOrder::LastSeen, 10, 0).await.unwrap();
    assert_eq!((groups[0].times_seen, groups[0].grouping_version), (3, 1));
    assert_eq!(store.error_counts("a", &[1], 60, (0, 120)).await.unwrap()[0].count, 3);
    let occurrences = store.occurrences(1).await.unwrap();
    let occurrence = store.occurrence(1, occurrences[0].id).await.unwrap().unwrap();
    assert_eq!(occurrence.document.unwrap().message, "no books");
    assert_eq!(store.find_occurrence("a", "e").await.unwrap().unwrap().number, 1);
    assert_eq!(store.queue_position(QueueId::default()).await.unwrap(), Position { segment: 3, offset: 4 });
    assert_eq!(store.parked(0).await.unwrap()[0].bytes, 2);
    let drops = store.drops("a", (0, 120)).await.unwrap();
    assert_eq!(drops.get("spans"), (version >= 2).then_some(&7));
}

/// Asserts that the rows of later schemas can be read.
async fn assert_later_readable(store: &Store, version: usize) {
    let since = |first: usize| usize::from(version >= first);
    let (releases, _) = store.releases("a", 10, 0).await.unwrap();
    assert_eq!(releases.len(), since(7));
    assert_eq!(store.release_machines(1, 10).await.unwrap().len(), since(7));
    let (machines, _) = store.deployments("a", 10, 0).await.unwrap();
    assert_eq!(machines.iter().map(|machine| machine.components.len()).sum::<usize>(), since(7));
    assert_eq!(store.deployment("a", "web").await.unwrap().is_some(), version >= 7);
    assert_eq!(store.browser_apps().await.unwrap().len(), since(7));
    assert_eq!(store.notes("a", (0, 120)).await.unwrap().len(), since(9));
    assert_eq!(store.rights_of_session(&[0; 32], 2).await.unwrap().is_some(), version >= 11);
    assert_eq!(store.check_ins("a", 10, 0).await.unwrap().0.len(), since(13));
    let spans = "SELECT (SELECT count(*) FROM pending_spans) + (SELECT count(*) FROM joined_transactions)
                     + (SELECT count(*) FROM trace_exceptions)";
    let spans: i64 = query(spans).read_one(&store.readers).await.unwrap().try_get(0).unwrap();
    assert_eq!(spans, 3 * i64::from(version >= 8));
    let rest = "SELECT (SELECT count(*) FROM clock), (SELECT count(*) FROM stored_bodies)";
    let rest = query(rest).read_one(&store.readers).await.unwrap();
    assert_eq!(rest.try_get::<i64, _>(0).unwrap(), i64::from(version >= 12));
    assert_eq!(rest.try_get::<i64, _>(1).unwrap(), 1);
}

#[tokio::test]
async fn every_released_schema_is_brought_up_to_date_with_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    for version in 1..=16 {
        let path = folder.path().join(format!("{version}.sqlite"));
        write_released(&path, version);
        let store = Store::open_file(&path).await;
        assert_readable(&store, version).await;
        assert_later_readable(&store, version).await;
        store.close().await;
    }
}

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
    let drops: Vec<(i64, String, i64)> =
        drops.iter().map(|row| (row.try_get(0).unwrap(), row.try_get(1).unwrap(), row.try_get(2).unwrap())).collect();
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
    database.batch("INSERT INTO transactions VALUES (2, 'a', 'sums of the app', '', 0, 0)").unwrap();
    let ids = TransactionIds {
        names: [(key.clone(), 1)].into(),
        apps: [("a".to_owned(), 2)].into(),
        ..TransactionIds::default()
    };
    let rollups = [((key, 0, "200".to_owned()), rollup)].into();
    let marks = AppMarks::load(&mut database, ["a"]).unwrap();
    rollups::write(&mut database, &ids, &marks, &rollups, &mut NewNotes::default()).unwrap();
    for resolution in [60_i64, 3_600] {
        let row = query("SELECT * FROM rollups WHERE transaction_id = 1 AND resolution = ?").bind(resolution);
        let rollup = rollups::read(&row.fetch_one(&mut database).unwrap()).unwrap().rollup;
        assert_eq!(rollup.sketch, [10.0, 20.0, 60_000.0].into_iter().collect());
        assert_eq!(*rollup.head_sketch(), [5.0, 10.0, 20.0].into_iter().collect());
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "the rows of one database, before and after")]
async fn rows_by_minute_and_by_hour_of_an_earlier_version_count_once() {
    const HOUR: i64 = 3_600;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed();
    // Rows by minute that should have been removed are no reason to rely on all of them.
    let start = now - now % (24 * HOUR) - 20 * 24 * HOUR;
    for database in TestDatabase::all().await {
        let prepare = |connection: &mut Connection| match connection.engine() {
            Engine::Sqlite => migrate_to(connection, &SQLITE[..15]),
            Engine::Postgres => migrate_to(connection, &POSTGRES[..1]),
        };
        let address = database.address.clone();
        let pool = Pool::new(Opening { address, purpose: Purpose::Write, time_limit: None, prepare }, 1);
        let write = move |connection: &mut Connection| {
            let last = (start + 10 * HOUR + 1_200) * 1_000_000;
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
                    .bind(start + second)
                    .bind(count)
                    .bind(10.0 * count as f64)
                    .bind(sketch.encode())
                    .execute(connection)?;
                query("INSERT INTO breakdowns VALUES (1, ?, ?, 'app', ?, 0.0, 0)")
                    .bind(resolution)
                    .bind(start + second)
                    .bind(count)
                    .execute(connection)?;
                query("INSERT INTO error_rollups VALUES (1, ?, ?, ?)")
                    .bind(resolution)
                    .bind(start + second)
                    .bind(count)
                    .execute(connection)?;
            }
            // An error of the first hour that arrived late has a row by minute too.
            query("INSERT INTO error_rollups VALUES (1, 60, ?, 1)").bind(start + 600).execute(connection)?;
            Ok::<_, Error>(())
        };
        pool.run(write).await.unwrap();
        pool.close().await;
        let store = database.open().await;
        let check = async |expected: u64| {
            for resolution in [600, HOUR, 24 * HOUR] {
                let (from, to) = (start, start + 24 * HOUR);
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
                changes.rollups.insert((key.clone(), start + second, "200".to_owned()), rollup);
                let self_time = SelfTime { count: 1, ..SelfTime::default() };
                changes.breakdowns.insert((key, start + second, "app".to_owned()), self_time);
                let bodies = vec![BodyChanges::new("a".to_owned(), String::new(), 0, changes)];
                let records = vec![StoredRecord { id: None, bodies }];
                store.apply(records, Vec::new(), Mark::Records, 0).await.unwrap();
                expected += 1;
            }
            check(expected).await;
            assert_eq!(store.compact((start + hour * HOUR + 1_800) * 1_000_000).await.unwrap().len(), 1);
            check(expected).await;
        }
        let delete = "DELETE FROM rollups WHERE resolution < 86400 AND transaction_id = 1";
        assert!(query(delete).run(&store.writer).await.unwrap() > 0);
        let days = "SELECT sum(CAST(count AS DOUBLE PRECISION)) FROM rollups WHERE transaction_id = 1";
        let days = query(days).read_one(&store.writer).await;
        assert_eq!(days.unwrap().try_get::<f64, _>(0).unwrap(), expected as f64, "days alone have all data");
        store.close().await;
    }
}
