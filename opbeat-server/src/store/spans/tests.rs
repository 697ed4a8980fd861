//! Tests of the sums of queries and calls over time.

use serde_json::json;

use super::*;
use crate::changes::{BodyChanges, Changes, NewSample, SelfTime, TransactionKey, to_json};
use crate::queue::Mark;
use crate::store::read::{SpanSums, SpansOf};
use crate::store::{AppSettings, Store, StoredRecord, stores};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// 2026-11-01 00:00:00 UTC.
const START: i64 = 1_793_491_200;

fn key(app_id: &str) -> TransactionKey {
    TransactionKey { app_id: app_id.to_owned(), kind: "web".to_owned(), name: "GET /".to_owned() }
}

/// Returns a sample with spans: signatures and durations. It is the average of a number of transactions, or of none.
fn sample(app_id: &str, second: i64, average_of: u64, spans: &[(&str, f64)]) -> NewSample {
    let spans: Vec<_> = spans.iter().map(|(signature, ms)| ("db.sql", *signature, *ms)).collect();
    sample_of(app_id, second, average_of, &spans)
}

/// Returns a sample with spans: kinds, signatures and durations.
fn sample_of(app_id: &str, second: i64, average_of: u64, spans: &[(&str, &str, f64)]) -> NewSample {
    let groups: Vec<_> =
        spans.iter().map(|(kind, signature, _)| json!({"signature": signature, "kind": kind})).collect();
    let spans: Vec<_> =
        spans.iter().enumerate().map(|(group, (.., ms))| json!({"group": group, "duration_ms": ms})).collect();
    let document = json!({"groups": groups, "spans": spans, "average_of": average_of, "context": {}});
    NewSample {
        transaction: key(app_id),
        happened_at: second * MICROS,
        average_of,
        document: to_json(&document),
        ..NewSample::default()
    }
}

fn breakdown(app_id: &str, second: i64, count: u64, self_ms: f64) -> Changes {
    let row = ((key(app_id), second - second % 60, "db.sql".to_owned()), SelfTime { count, self_ms, samples: 0 });
    Changes { breakdowns: [row].into(), ..Changes::default() }
}

async fn apply(store: &Store, app_id: &str, changes: Vec<Changes>, second: i64) {
    let body = |changes| BodyChanges::new(app_id.to_owned(), String::new(), second * MICROS, changes);
    let records = vec![StoredRecord { id: None, bodies: changes.into_iter().map(body).collect() }];
    store.apply(records, Vec::new(), Mark::Records, second * MICROS).await.unwrap();
}

/// Returns the sums by signature.
async fn sums(store: &Store, app_id: &str, resolution: i64, range: (i64, i64)) -> Vec<(String, SpanSums)> {
    let sums = store.span_sums(app_id, SpansOf::Family(SpanFamily::Queries), resolution, range).await.unwrap();
    let mut sums: Vec<_> = sums.into_iter().map(|(span, sums)| (span.signature, sums)).collect();
    sums.sort_by(|a, b| a.0.cmp(&b.0));
    sums
}

#[tokio::test]
async fn all_resolutions_have_the_same_sums() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        for step in 0..30 {
            let second = START + step * 2 * HOUR;
            let samples = vec![sample(&app_id, second, 2, &[("SELECT a", 1.0), ("SELECT b", 2.0)])];
            apply(&store, &app_id, vec![Changes { samples, ..Changes::default() }], second).await;
        }
        let range = (START, START + 3 * DAY);
        let minutes = sums(&store, &app_id, 60, range).await;
        assert_eq!(minutes.iter().map(|(_, sums)| sums.sum_ms).collect::<Vec<_>>(), [60.0, 120.0]);
        store.compact((START + 3 * DAY + HOUR) * MICROS).await.unwrap();
        for resolution in [60, 600, HOUR, DAY] {
            assert_eq!(sums(&store, &app_id, resolution, range).await, minutes, "{resolution}");
            let ids: Vec<i64> =
                store.span_ids(&app_id, &[("db.sql", "SELECT a")]).await.unwrap().into_values().collect();
            let points = store.span_points(&app_id, &ids, resolution, range).await.unwrap();
            assert_eq!(points.iter().map(|point| point.sums.sum_ms).sum::<f64>(), 60.0, "{resolution}");
            assert!(points.iter().all(|point| point.start % resolution == 0));
        }
        // Data that arrives late is added to the rows of all lengths.
        let samples = vec![sample(&app_id, START, 1, &[("SELECT a", 5.0)])];
        apply(&store, &app_id, vec![Changes { samples, ..Changes::default() }], START).await;
        for resolution in [60, 600, HOUR, DAY] {
            assert_eq!(sums(&store, &app_id, resolution, range).await[0].1.sum_ms, 65.0, "{resolution}");
        }
        store.close().await;
    }
}

#[tokio::test]
async fn times_are_divided_as_the_latest_samples() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let samples = |second, ms: [f64; 2]| {
            let samples = vec![sample(&app_id, second, 0, &[("SELECT a", ms[0]), ("SELECT b", ms[1])])];
            Changes { samples, ..Changes::default() }
        };
        apply(&store, &app_id, vec![samples(START, [9.0, 1.0]), breakdown(&app_id, START, 20, 100.0)], START).await;
        let of = async |day: i64| {
            let range = (START + day * DAY, START + (day + 1) * DAY);
            sums(&store, &app_id, 60, range).await.into_iter().map(|(_, sums)| sums.sum_ms).collect::<Vec<_>>()
        };
        assert_eq!(of(0).await, [90.0, 10.0]);
        // Both days, as long as there are few samples of the latter.
        apply(&store, &app_id, vec![samples(START + DAY, [1.0, 9.0])], START + DAY).await;
        apply(&store, &app_id, vec![breakdown(&app_id, START + DAY, 20, 100.0)], START + DAY).await;
        assert_eq!(of(1).await, [50.0, 50.0]);
        let many = (0..19).map(|_| samples(START + DAY, [1.0, 9.0])).collect();
        apply(&store, &app_id, many, START + DAY).await;
        apply(&store, &app_id, vec![breakdown(&app_id, START + DAY, 20, 100.0)], START + DAY).await;
        assert_eq!(of(1).await, [60.0, 140.0]);
        // The latest day that has some, however long ago.
        apply(&store, &app_id, vec![breakdown(&app_id, START + 9 * DAY, 20, 100.0)], START + 9 * DAY).await;
        assert_eq!(of(9).await, [10.0, 90.0]);
        let last = sums(&store, &app_id, 60, (START + 9 * DAY, START + 10 * DAY)).await;
        assert_eq!((last[0].1.estimated_ms, last[0].1.samples, last[0].1.count), (10.0, 0, 10.0));
        store.close().await;
    }
}

#[tokio::test]
async fn names_that_nobody_sends_are_removed_with_their_rows() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        for (day, signature) in [(0, "SELECT a"), (60, "SELECT b")] {
            let second = START + day * DAY;
            let samples = vec![sample(&app_id, second, 1, &[(signature, 5.0)])];
            apply(&store, &app_id, vec![Changes { samples, ..Changes::default() }], second).await;
        }
        let names = async || {
            let all = sums(&store, &app_id, DAY, (START, START + 200 * DAY)).await;
            all.into_iter().map(|(signature, _)| signature).collect::<Vec<_>>()
        };
        for (day, expected) in [(90, &["SELECT a", "SELECT b"][..]), (91, &["SELECT b"]), (151, &[])] {
            let now = (START + day * DAY) * MICROS;
            store.remove_old_of(&app_id, &AppSettings::new(), now, false).await.unwrap();
            assert_eq!(names().await, expected, "{day}");
        }
        store.close().await;
    }
}

/// Returns the sums of time by signature.
async fn times(store: &Store, app_id: &str) -> Vec<(String, f64)> {
    let sums = sums(store, app_id, 60, (START, START + DAY)).await;
    sums.into_iter().map(|(signature, sums)| (signature, sums.sum_ms)).collect()
}

#[tokio::test]
async fn signatures_beyond_the_cap_have_their_part_of_the_time_of_their_kind() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let with = async |spans: &[(&str, f64)], second| {
            let samples = vec![sample(&app_id, second, 0, spans)];
            apply(&store, &app_id, vec![Changes { samples, ..Changes::default() }], second).await;
        };
        with(&[("SELECT known", 1.0)], START).await;
        let insert = "INSERT INTO spans (id, app_id, family, kind, signature, seen_on)
                      WITH RECURSIVE numbers(number) AS (
                          SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 1999)
                      SELECT number, ?, 'db', 'db.sql', 'SELECT ' || number, 0 FROM numbers";
        let insert = crate::store::engine::query(insert).bind(app_id.clone());
        store.write(move |connection| Ok(insert.execute(connection)?)).await.unwrap();
        with(&[("SELECT known", 1.0), ("SELECT a", 4.0), ("SELECT b", 4.0)], START).await;
        apply(&store, &app_id, vec![breakdown(&app_id, START, 20, 100.0)], START).await;
        let (known, others) = ("SELECT known".to_owned(), OTHER_SPANS.to_owned());
        assert_eq!(times(&store, &app_id).await, [(others.clone(), 80.0), (known.clone(), 20.0)]);
        // Samples and times in one body, and the average of all transactions.
        let samples = vec![sample(&app_id, START, 0, &[("SELECT c", 3.0), ("SELECT known", 1.0)])];
        let changes = Changes { samples, ..breakdown(&app_id, START, 4, 8.0) };
        apply(&store, &app_id, vec![changes], START).await;
        with_average(&store, &app_id, &[("SELECT d", 1.0), ("SELECT known", 2.0)]).await;
        assert_eq!(times(&store, &app_id).await, [(others, 80.0 + 6.0 + 10.0), (known, 20.0 + 2.0 + 20.0)]);
        let row = store.span_ids(&app_id, &[("db.sql", OTHER_SPANS)]).await.unwrap();
        assert_eq!(row.len(), 1, "the row is that of the kind");
        store.close().await;
    }
}

/// Stores the average of 10 transactions.
async fn with_average(store: &Store, app_id: &str, spans: &[(&str, f64)]) {
    let samples = vec![sample(app_id, START, 10, spans)];
    apply(store, app_id, vec![Changes { samples, ..Changes::default() }], START).await;
}

#[tokio::test]
async fn signatures_beyond_those_of_a_transaction_and_day_have_their_part_of_the_time() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let names: Vec<String> = (0..260).map(|number| format!("SELECT {number}")).collect();
        // The first ones take the most time.
        let spans = |names: &[String]| {
            let ms = |index: usize| if index < 150 { 2.0 } else { 1.0 };
            let spans: Vec<_> = names.iter().enumerate().map(|(index, name)| (&**name, ms(index))).collect();
            sample(&app_id, START, 0, &spans)
        };
        let all_ms = 150.0 * 2.0 + 110.0;
        for samples in [vec![spans(&names[..100])], vec![spans(&names)]] {
            apply(&store, &app_id, vec![Changes { samples, ..Changes::default() }], START).await;
        }
        let samples = vec![spans(&names)];
        apply(&store, &app_id, vec![Changes { samples, ..Changes::default() }], START).await;
        let observed_ms = 100.0 * 2.0 + 2.0 * all_ms;
        apply(&store, &app_id, vec![breakdown(&app_id, START, 1_000, observed_ms)], START).await;
        let times: std::collections::HashMap<String, f64> = times(&store, &app_id).await.into_iter().collect();
        let near = |name: &str, expected: f64| {
            let ms = times.get(name).copied().unwrap_or_default();
            assert!((ms - expected).abs() < 1e-6, "{name}: {ms} instead of {expected}");
        };
        near("SELECT 0", 6.0);
        near("SELECT 149", 4.0);
        near(OTHER_SPANS, 2.0 * 60.0);
        assert!((times.values().sum::<f64>() - observed_ms).abs() < 1e-6);
        store.close().await;
    }
}

#[tokio::test]
async fn rows_that_further_signatures_share_have_a_cap() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let kinds: Vec<String> = (0..70).map(|number| format!("db.kind{number}")).collect();
        let spans: Vec<_> = kinds.iter().map(|kind| (&**kind, OTHER_SPANS, 1.0)).collect();
        let samples = vec![sample_of(&app_id, START, 1, &spans)];
        apply(&store, &app_id, vec![Changes { samples, ..Changes::default() }], START).await;
        let times = times(&store, &app_id).await;
        assert_eq!((times.len(), times.iter().map(|(_, ms)| ms).sum::<f64>()), (51, 70.0));
        assert!(times.contains(&(OTHER_SPANS.to_owned(), 20.0)), "{times:?}");
        // The kinds without a row of their own have their time in that of their family.
        let key = (key(&app_id), START, "db.kind9".to_owned());
        let row = (key.clone(), SelfTime { count: 5, self_ms: 7.0, samples: 0 });
        let last = ((key.0, START, "db.kind69".to_owned()), row.1);
        let changes = Changes { breakdowns: [row, last].into(), ..Changes::default() };
        apply(&store, &app_id, vec![changes], START).await;
        let sum: f64 = self::times(&store, &app_id).await.iter().map(|(_, ms)| ms).sum();
        assert!((sum - 84.0).abs() < 1e-9, "{sum}");
        store.close().await;
    }
}
