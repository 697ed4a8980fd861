//! Tests of the caps.

use std::collections::BTreeMap;

use super::*;
use crate::changes::{BodyChanges, Changes, NewError, NewSample, NewSpanStack, Rollup, SelfTime, TransactionKey};
use crate::queue::Mark;
use crate::store::read::{ErrorFilter, ErrorOrder, RollupSpan};
use crate::store::testing::TestStore;
use crate::store::{AppSettings, Store, StoredRecord, stores};

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

async fn apply_on(store: &Store, app_id: &str, changes: Changes, day: i64) {
    let bodies = vec![BodyChanges::new(app_id.to_owned(), String::new(), 0, changes)];
    let records = vec![StoredRecord { id: None, bodies }];
    store.apply(records, Vec::new(), Mark::Records, day * DAY * MICROS).await.unwrap();
}

async fn apply(store: &Store, app_id: &str, changes: Changes) {
    apply_on(store, app_id, changes, 0).await;
}

/// Adds as many rows as a query returns: `numbers` has the numbers from 1 to a last one.
async fn fill(store: &Store, last: i64, insert: &str, select: &str) {
    let statement = format!(
        "INSERT INTO {insert} WITH RECURSIVE numbers(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers
                                                            WHERE n < {last})
         SELECT {select} FROM numbers"
    );
    query(statement).run(&store.writer).await.unwrap();
}

/// Returns the folded and changed values of an app by reason.
async fn notes(store: &Store, app_id: &str) -> BTreeMap<String, u64> {
    let notes = store.notes(app_id, (0, i64::MAX)).await.unwrap();
    notes.into_iter().filter(|note| note.action == "folded").map(|note| (note.reason, note.count)).collect()
}

fn key(app_id: &str) -> TransactionKey {
    TransactionKey { app_id: app_id.to_owned(), kind: String::new(), name: "GET /".to_owned() }
}

fn durations(number: usize, milliseconds: f64) -> Rollup {
    let mut rollup = Rollup::default();
    (0..number).for_each(|_| rollup.insert(milliseconds, None, false));
    rollup
}

/// Returns changes with two durations of each of some results.
fn results(app_id: &str, numbers: std::ops::Range<usize>) -> Changes {
    let rows = numbers.map(|number| ((key(app_id), 0, format!("result {number:03}")), durations(2, 5.0)));
    Changes { rollups: rows.collect(), ..Changes::default() }
}

/// Returns the counts of durations by result.
async fn counts(store: &Store, app_id: &str) -> BTreeMap<String, u64> {
    let span = RollupSpan { app_id, transactions: None, resolution: 60, from: 0, to: 400 * DAY };
    let mut counts = BTreeMap::new();
    store.each_rollup(span, |row| *counts.entry(row.result).or_default() += row.rollup.count).await.unwrap();
    counts
}

#[tokio::test]
async fn names_beyond_the_cap_share_one() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let select = format!("-n, '{app_id}', '', CAST(n AS TEXT), 0, 0");
        fill(&store, NAMES.limit - 1, "transactions (id, app_id, kind, name, first_seen, last_seen)", &select).await;
        for _ in 0..2 {
            let name = |name: &str| TransactionKey { name: name.to_owned(), ..key(&app_id) };
            let rows = ["7", "a", "b", "c"].map(|text| ((name(text), 0, "200".to_owned()), durations(3, 1.0)));
            apply(&store, &app_id, Changes { rollups: rows.into(), ..Changes::default() }).await;
        }
        let span = RollupSpan { app_id: &app_id, transactions: None, resolution: 60, from: 0, to: 60 };
        let sums = store.transaction_sums(span).await.unwrap();
        let sums: BTreeMap<String, f64> = sums.into_iter().map(|sum| (sum.transaction.name, sum.sum_ms)).collect();
        assert_eq!(sums, [("7".to_owned(), 6.0), ("a".to_owned(), 6.0), ("(other names)".to_owned(), 12.0)].into());
        assert_eq!(notes(&store, &app_id).await, [("other_names".to_owned(), 12)].into());
        store.close().await;
    }
}

#[tokio::test]
async fn errors_beyond_the_cap_share_a_group() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let bytes = if store.is_postgres() { "convert_to(CAST(n AS TEXT), 'UTF8')" } else { "CAST(n AS BLOB)" };
        let select = format!("'{app_id}', -n, {bytes}, '', '', '', '', 0, 0, 1");
        let columns = "error_groups (app_id, number, fingerprint, type_name, message, culprit, level, first_seen, \
                       last_seen, times_seen)";
        fill(&store, ERRORS.limit - 1, columns, &select).await;
        for _ in 0..2 {
            let error = |fingerprint: &str| NewError {
                app_id: app_id.clone(),
                fingerprint: format!("\x02{fingerprint}").into_bytes(),
                type_name: format!("Error{fingerprint}"),
                happened_at: 1,
                occurrences: 5,
                document: format!(r#"{{"message": "{fingerprint}"}}"#).into_bytes(),
                ..NewError::default()
            };
            apply(&store, &app_id, Changes { errors: ["a", "b", "c"].map(error).to_vec(), ..Changes::default() }).await;
        }
        let (groups, number) =
            store.error_groups(&app_id, ErrorFilter::default(), ErrorOrder::LastSeen, 2, 0).await.unwrap();
        assert_eq!(number, ERRORS.limit + 1);
        let totals: BTreeMap<&str, i64> = groups.iter().map(|group| (&*group.type_name, group.times_seen)).collect();
        assert_eq!(totals, [("Errora", 10), ("(other errors)", 20)].into());
        let ids: Vec<i64> = groups.iter().map(|group| group.id).collect();
        let counts = store.error_counts(&app_id, &ids, 60, (0, 60)).await.unwrap();
        assert_eq!(counts.iter().map(|row| row.count).sum::<i64>(), 30, "counts by minute are exact");
        assert_eq!(notes(&store, &app_id).await, [("other_errors".to_owned(), 20)].into());
        store.close().await;
    }
}

#[tokio::test]
async fn results_beyond_the_cap_share_one_until_others_are_forgotten() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        apply(&store, &app_id, results(&app_id, 0..150)).await;
        apply(&store, &app_id, results(&app_id, 90..110)).await;
        let by_result = counts(&store, &app_id).await;
        assert_eq!((by_result.len(), by_result["result 099"], by_result["(other results)"]), (101, 4, 120));
        assert_eq!(by_result.values().sum::<u64>(), 2 * 170, "the sum is exact");
        assert_eq!(notes(&store, &app_id).await, [("other_results".to_owned(), 120)].into());
        // Results that are still sent keep their rows. The others lose them after 30 days, and new ones get them.
        apply_on(&store, &app_id, results(&app_id, 0..10), 20).await;
        for hour in 0..=30 {
            let now = (40 * 24 + hour) * 3_600 * MICROS;
            store.remove_old(now, &[].into(), &AppSettings::new()).await.unwrap();
        }
        apply_on(&store, &app_id, results(&app_id, 0..110), 42).await;
        let by_result = counts(&store, &app_id).await;
        assert_eq!((by_result["result 005"], by_result["result 095"]), (6, 6));
        assert_eq!((by_result.len(), by_result["(other results)"]), (101, 140));
        store.close().await;
    }
}

#[tokio::test]
async fn kinds_beyond_the_cap_share_one() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        for _ in 0..2 {
            let kinds = (0..80).map(|number| format!("kind {number:02}")).chain(["app".to_owned()]);
            let self_time = SelfTime { count: 3, self_ms: 2.0, samples: 1 };
            let rows = kinds.map(|kind| ((key(&app_id), 0, kind), self_time));
            apply(&store, &app_id, Changes { breakdowns: rows.collect(), ..Changes::default() }).await;
        }
        let span = RollupSpan { app_id: &app_id, transactions: None, resolution: 60, from: 0, to: 60 };
        let kinds: BTreeMap<String, SelfTime> = store.breakdown(span).await.unwrap().into_iter().collect();
        assert_eq!(kinds.len(), 52);
        assert_eq!(kinds["app"], SelfTime { count: 6, self_ms: 4.0, samples: 2 });
        assert_eq!(kinds["(other kinds)"], SelfTime { count: 180, self_ms: 120.0, samples: 60 });
        assert_eq!(notes(&store, &app_id).await, [("other_kinds".to_owned(), 180)].into());
        store.close().await;
    }
}

fn stacks(app_id: &str, sites: &[&str]) -> Changes {
    let stack =
        |site: &&str| NewSpanStack { app_id: app_id.to_owned(), site: (*site).to_owned(), frames: b"[]".to_vec() };
    Changes { span_stacks: sites.iter().map(stack).collect(), ..Changes::default() }
}

async fn sites(store: &TestStore, app_id: &str) -> Vec<String> {
    let sites = store.span_stacks(app_id, &["a", "b", "c", "1"]).await.unwrap().into_keys();
    sites.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

#[tokio::test]
async fn stacks_beyond_the_cap_are_left_out() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let select = format!("'{app_id}', CAST(n AS TEXT), '[]', 0");
        fill(&store, STACKS.limit - 1, "span_stacks (app_id, site, frames, used_on)", &select).await;
        apply(&store, &app_id, stacks(&app_id, &["a", "b", "c", "1"])).await;
        assert_eq!(sites(&store, &app_id).await, ["1", "a"]);
        assert_eq!(notes(&store, &app_id).await, [("span_stacks".to_owned(), 2)].into());
        store.close().await;
    }
}

#[tokio::test]
async fn stacks_are_removed_after_the_last_sample_that_refers_to_them() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        apply_on(&store, &app_id, stacks(&app_id, &["a", "b", "c"]), 100).await;
        apply_on(&store, &app_id, stacks(&app_id, &["c"]), 130).await;
        let sample = NewSample {
            transaction: key(&app_id),
            happened_at: 120 * DAY * MICROS,
            document: br#"{"groups": [{"sites": ["a"]}, {}]}"#.to_vec(),
            ..NewSample::default()
        };
        apply_on(&store, &app_id, Changes { samples: vec![sample], ..Changes::default() }, 120).await;
        // Samples are kept for 14 days.
        for (day, expected) in [(144, &["a", "b", "c"][..]), (145, &["a", "c"]), (165, &["c"]), (175, &[])] {
            store.remove_old_of(&app_id, &AppSettings::new(), day * DAY * MICROS, true).await.unwrap();
            assert_eq!(sites(&store, &app_id).await, expected, "{day}");
        }
        store.close().await;
    }
}
