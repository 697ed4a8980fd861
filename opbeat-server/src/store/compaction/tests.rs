//! Tests of the compaction.

use super::*;
use crate::changes::{BodyChanges, Changes, NewError, Rollup, SelfTime, TransactionKey};
use crate::queue::Mark as QueueMark;
use crate::store::marks::Mark;
use crate::store::read::{ErrorFilter, ErrorOrder, RollupSpan};
use crate::store::{Setting, StoredRecord, stores};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// 2026-11-01 00:00:00 UTC.
const START: i64 = 1_793_491_200;

/// Stores a duration of one of two transactions, a self time and an error at a time in seconds since 1970.
async fn store_at(store: &Store, app_id: &str, second: i64, milliseconds: f64) {
    let minute = second - second.rem_euclid(60);
    let name = if second % 120 < 60 { "GET /" } else { "GET /books" };
    let key = TransactionKey { app_id: app_id.to_owned(), kind: String::new(), name: name.to_owned() };
    let mut rollup = Rollup::default();
    rollup.insert(milliseconds, (second % 3 == 0).then_some(1.0), second % 5 == 0);
    let mut changes = Changes::default();
    changes.rollups.insert((key.clone(), minute, "200".to_owned()), rollup);
    let self_time = SelfTime { count: 2, self_ms: milliseconds, samples: 1 };
    changes.breakdowns.insert((key, minute, "app".to_owned()), self_time);
    let error = NewError {
        app_id: app_id.to_owned(),
        fingerprint: vec![2, 1],
        happened_at: second * MICROS,
        occurrences: 3,
        document: b"{}".to_vec(),
        ..NewError::default()
    };
    changes.errors.push(error);
    let body = BodyChanges::new(app_id.to_owned(), String::new(), second * MICROS, changes);
    let record = StoredRecord { id: None, bodies: vec![body] };
    store.apply(vec![record], Vec::new(), QueueMark::Records, second * MICROS).await.unwrap();
}

/// The sums of an app in a range: durations, the sum of transactions, self times and errors.
#[derive(Debug, PartialEq)]
struct Sums {
    count: u64,
    failed: u64,
    sum_ms: f64,
    max_ms: f64,
    median: Option<f64>,
    heads: Option<f64>,
    by_transaction: f64,
    breakdown: Vec<(String, SelfTime)>,
    errors: i64,
}

async fn sums(store: &Store, app_id: &str, resolution: i64, (from, to): (i64, i64)) -> Sums {
    let span = RollupSpan { app_id, transactions: None, resolution, from, to };
    let mut all = Rollup::default();
    store.each_rollup(span, |row| all.merge(&row.rollup)).await.unwrap();
    let by_transaction = store.transaction_sums(span).await.unwrap();
    let (groups, _) = store.error_groups(app_id, ErrorFilter::default(), ErrorOrder::LastSeen, 10, 0).await.unwrap();
    let groups: Vec<i64> = groups.iter().map(|group| group.id).collect();
    let errors = store.error_counts(app_id, &groups, resolution, (from, to)).await.unwrap();
    Sums {
        count: all.count,
        failed: all.failed,
        sum_ms: all.sum_ms,
        max_ms: all.max_ms,
        median: all.sketch.quantile(0.5),
        heads: all.head_sketch().quantile(0.5),
        by_transaction: by_transaction.iter().map(|sum| sum.sum_ms).sum(),
        breakdown: store.breakdown(span).await.unwrap(),
        errors: errors.iter().map(|row| row.count).sum(),
    }
}

/// Checks that all resolutions give the sums of the minutes, of the whole time and of each day.
async fn check(store: &Store, app_id: &str, expected: u64) {
    for range in [(START, START + 4 * DAY), (START, START + DAY), (START + DAY, START + 2 * DAY)] {
        let minutes = sums(store, app_id, 60, range).await;
        assert!(range.1 - range.0 == DAY || minutes.count == expected, "{minutes:?}");
        for row in RESOLUTIONS {
            assert_eq!(sums(store, app_id, row.seconds, range).await, minutes, "{} {range:?}", row.seconds);
        }
    }
}

async fn rows_of(store: &Store, resolution: i64) -> i64 {
    let rows = query("SELECT count(*) FROM rollups WHERE resolution = ?").bind(resolution);
    rows.read_one(&store.readers).await.unwrap().try_get(0).unwrap()
}

#[tokio::test]
async fn rows_of_each_length_are_exact_at_any_time() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let mut expected = 0;
        // Every 47 minutes for 26 hours, and again after a day without data.
        for second in (0..26 * HOUR).chain(50 * HOUR..52 * HOUR).step_by(47 * 60) {
            store_at(&store, &app_id, START + second, (second % 1_000) as f64 + 1.0).await;
            expected += 1;
        }
        check(&store, &app_id, expected).await;
        assert_eq!(rows_of(&store, 600).await, 0, "data is stored by minute");
        for hour in [1, 3, 24, 25, 27, 49, 52, 76] {
            assert_eq!(store.compact((START + hour * HOUR + 400) * MICROS).await.unwrap().len(), 1);
            check(&store, &app_id, expected).await;
            // Data that is late by up to the whole time.
            for late in [0, 59 * 60, 24 * HOUR, 51 * HOUR + 30] {
                store_at(&store, &app_id, START + late, 7.0).await;
                expected += 1;
            }
            check(&store, &app_id, expected).await;
        }
        assert_eq!(store.compact((START + 96 * HOUR + 400) * MICROS).await.unwrap().len(), 1);
        check(&store, &app_id, expected).await;
        let minutes = query("DELETE FROM rollups WHERE resolution < 86400").run(&store.writer).await.unwrap();
        assert!(minutes > 100 && rows_of(&store, DAY).await == 9, "two names and their sum on three days");
        let days = sums(&store, &app_id, DAY, (START, START + 4 * DAY)).await;
        assert_eq!(days.count, expected, "days alone have all data");
        store.close().await;
    }
}

#[tokio::test]
async fn two_processes_that_store_and_add_up_lose_nothing() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let other = store.open_again().await;
        let write = async |store: &Store, offset: i64| {
            for second in (offset..10 * HOUR).step_by(20 * 60) {
                store_at(store, &app_id, START + second, 5.0).await;
            }
        };
        let add_up = async |store: &Store| {
            for hour in 0..12 {
                store.compact((START + hour * HOUR) * MICROS).await.unwrap();
            }
        };
        tokio::join!(write(&store, 0), write(&other, 0), add_up(&store), add_up(&other));
        check(&store, &app_id, 60).await;
        assert_eq!(store.compact((START + 30 * HOUR) * MICROS).await.unwrap().len(), 1);
        check(&store, &app_id, 60).await;
        other.close().await;
        store.close().await;
    }
}

#[tokio::test]
async fn any_number_of_results_of_an_earlier_version_is_added_up_to_few() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        store_at(&store, &app_id, START, 5.0).await;
        let copies = "INSERT INTO rollups
             (transaction_id, resolution, start, result, count, failed, sum_ms, min_ms, max_ms, sketch)
             WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
             SELECT transaction_id, 60, start, 'books ' || n, count, failed, sum_ms, min_ms, max_ms, sketch
             FROM rollups, numbers";
        query(copies).run(&store.writer).await.unwrap();
        store.compact((START + 2 * HOUR) * MICROS).await.unwrap();
        assert_eq!(
            (rows_of(&store, 60).await, rows_of(&store, 600).await, rows_of(&store, HOUR).await),
            (2002, 202, 202),
            "of the name, and of the sums of the app"
        );
        for resolution in [60, 600, HOUR] {
            let sums = sums(&store, &app_id, resolution, (START, START + HOUR)).await;
            assert_eq!((sums.count, sums.failed, sums.sum_ms), (1001, 1001, 5005.0));
        }
        let notes = store.notes(&app_id, (0, i64::MAX)).await.unwrap();
        assert_eq!((&*notes[0].action, &*notes[0].reason, notes[0].count), ("folded", "other_results", 901));
        store.close().await;
    }
}

#[tokio::test]
async fn a_damaged_distribution_costs_only_itself() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        for second in [0, 60, 120] {
            store_at(&store, &app_id, START + second, 5.0).await;
        }
        let damage = "UPDATE rollups SET sketch = ? WHERE start = ?";
        query(damage).bind(&b"books"[..]).bind(START + 60).run(&store.writer).await.unwrap();
        store_at(&store, &app_id, START + 60, 7.0).await;
        query(damage).bind(&b"books"[..]).bind(START + 120).run(&store.writer).await.unwrap();
        assert_eq!(store.compact((START + 2 * HOUR) * MICROS).await.unwrap(), [app_id.clone()].into());
        for resolution in [60, 600, HOUR] {
            let sums = sums(&store, &app_id, resolution, (START, START + HOUR)).await;
            assert_eq!((sums.count, sums.sum_ms, sums.max_ms), (4, 22.0, 7.0), "counts and sums are exact");
        }
        let notes = store.notes(&app_id, (0, i64::MAX)).await.unwrap();
        assert_eq!(
            (notes.len(), &*notes[0].reason, notes[0].count),
            (1, "damaged_distribution", 4),
            "of the name and of the app"
        );
        store.close().await;
    }
}

#[tokio::test]
async fn an_app_whose_rows_are_rejected_does_not_stop_others() {
    for store in stores().await {
        let (rejected, other) = (store.create_app("rejected").await, store.create_app("shop").await);
        for app_id in [&rejected, &other] {
            store_at(&store, app_id, START, 5.0).await;
        }
        // The app can have one watermark, and gets more.
        let index = format!(
            "CREATE UNIQUE INDEX one_watermark ON compactions ((CASE WHEN app_id = '{rejected}' THEN 1 ELSE NULL END))"
        );
        query(index).run(&store.writer).await.unwrap();
        let now = START + 20 * DAY;
        let compact = store.compact(now * MICROS).await.unwrap();
        assert_eq!(compact, [other.clone()].into());
        let days = [(Setting::RollupDays, 400)].into();
        for app_id in [&rejected, &other] {
            store.remove_old_of(app_id, &days, now * MICROS, compact.contains(app_id)).await.unwrap();
        }
        assert_eq!(rows_of(&store, 60).await, 2, "old rows by minute are removed, except those that are needed");
        for app_id in [&rejected, &other] {
            let sums = sums(&store, app_id, HOUR, (START, START + DAY)).await;
            assert_eq!((sums.count, sums.errors), (1, 3));
        }
        store.close().await;
    }
}

#[test]
fn a_range_has_each_time_once() {
    let mut marks = MINUTES_ONLY;
    let all = [(60, 0, 1_000)].map(|(resolution, from, to)| Part { resolution, from, to });
    assert_eq!(marks.parts(DAY, (0, 1_000)), all, "nothing is added up yet");
    marks.rows[1] = Mark { since: 3_600, until: 12_000 };
    marks.rows[2] = Mark { since: 0, until: 7_200 };
    let parts = |resolution, range| {
        let parts = marks.parts(resolution, range);
        parts.into_iter().map(|part| (part.resolution, part.from, part.to)).collect::<Vec<_>>()
    };
    assert_eq!(parts(HOUR, (0, 20_000)), [(3_600, 0, 7_200), (600, 7_200, 12_000), (60, 12_000, 20_000)]);
    assert_eq!(parts(600, (0, 20_000)), [(3_600, 0, 3_600), (600, 3_600, 12_000), (60, 12_000, 20_000)]);
    assert_eq!(parts(600, (1_200, 2_400)), [(3_600, 0, 2_400)], "the hour that the range begins in");
    assert_eq!(parts(600, (2_400, 7_200)), [(3_600, 0, 3_600), (600, 3_600, 7_200)]);
    assert_eq!(parts(60, (0, 600)), [(60, 0, 600)]);
    assert_eq!(parts(DAY, (7_200, 9_000)), [(600, 7_200, 9_000)]);
    assert_eq!(parts(DAY, (600, 600)), []);
    let longest = |resolution, range| {
        let parts = marks.longest_parts(resolution, range);
        parts.into_iter().map(|part| (part.resolution, part.from, part.to)).collect::<Vec<_>>()
    };
    let whole = [(3_600, 3_600, 7_200), (600, 7_200, 12_000), (60, 0, 3_600), (60, 12_000, 20_000)];
    assert_eq!(longest(60, (0, 20_000)), whole, "ten minutes are complete from 1:00 on");
    assert_eq!(longest(60, (4_260, 7_260)), [(600, 4_800, 7_200), (60, 4_260, 4_800), (60, 7_200, 7_260)]);
    assert_eq!(longest(HOUR, (0, 7_200)), [(3_600, 0, 7_200)]);
    assert_eq!(longest(60, (600, 600)), []);
    assert_eq!(marks.resolutions(0).collect::<Vec<_>>(), [60, 600, 3_600]);
    assert_eq!(marks.resolutions(11_940).collect::<Vec<_>>(), [60, 600]);
    assert_eq!(marks.resolutions(12_000).collect::<Vec<_>>(), [60]);
}
