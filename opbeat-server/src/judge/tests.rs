//! Looks at releases, on data in a store of each engine.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::json;

use super::take_looks;
use crate::changes::{BodyChanges, Changes, NewRelease, NewSample, Rollup, SelfTime, TransactionKey, to_json};
use crate::queue::Mark;
use crate::store::{FindingRow, FindingsOf, Since, Store, StoredRecord, TimeOfChange, stores};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const MICROS: i64 = 1_000_000;

/// 2026-11-01 00:00:00 UTC.
const START: i64 = 1_793_491_200;

/// When the release is completed, in seconds since 1970.
const RELEASED: i64 = START + 30 * HOUR;

const NAMES: [&str; 6] = ["GET /", "GET /books/{id}", "GET /search", "POST /orders", "GET /cart", "GET /`help`"];

async fn store_changes(store: &Store, app_id: &str, changes: Changes) {
    let bodies = vec![BodyChanges::new(app_id.to_owned(), String::new(), 0, changes)];
    store.apply(vec![StoredRecord { id: None, bodies }], Vec::new(), Mark::Records, 0).await.unwrap();
}

async fn release(store: &Store, app_id: &str, rev: &str, second: i64) {
    let release = NewRelease {
        app_id: app_id.to_owned(),
        rev: rev.to_owned(),
        branch: String::new(),
        machine: String::new(),
        is_complete: true,
        completed_at: second * MICROS,
    };
    store_changes(store, app_id, Changes { releases: vec![release], ..Changes::default() }).await;
}

/// Stores the durations of a time, by rows of ten minutes. Those of one name are slower after the release, by the time in its
/// database.
async fn fill(store: &Store, app_id: &str, (from, to): (i64, i64), slower: f64, rng: &mut Rng) {
    let mut changes = Changes::default();
    let (mut rollups, mut breakdowns) = (BTreeMap::new(), BTreeMap::new());
    for minute in (from..to).step_by(10 * MINUTE as usize) {
        // All names share the noise of the machine.
        let machine = 0.9 + 0.2 * rng.f64();
        for name in NAMES {
            let key = TransactionKey { app_id: app_id.to_owned(), kind: String::new(), name: name.to_owned() };
            let factor = if name == "GET /books/{id}" && minute >= RELEASED { slower } else { 1.0 };
            let mut rollup = Rollup::default();
            let (mut database, mut own) = (SelfTime::default(), SelfTime::default());
            for _ in 0..40 {
                let (own_ms, database_ms) = (20.0 * machine, 40.0 * machine * (0.5 + rng.f64()) * factor);
                rollup.insert(own_ms + database_ms, None, false);
                database.merge(SelfTime { count: 2, self_ms: database_ms, samples: 0 });
                own.merge(SelfTime { count: 1, self_ms: own_ms, samples: 0 });
            }
            rollups.insert((key.clone(), minute, "200".to_owned()), rollup);
            breakdowns.insert((key.clone(), minute, "db.postgresql".to_owned()), database);
            breakdowns.insert((key, minute, "app".to_owned()), own);
        }
    }
    (changes.rollups, changes.breakdowns) = (rollups, breakdowns);
    store_changes(store, app_id, changes).await;
}

#[tokio::test]
async fn a_transaction_that_became_slower_is_found_with_the_part_that_takes_the_time() {
    for store in stores().await {
        let mut rng = Rng::with_seed(7);
        let (slow, same) = (store.create_app("slow").await, store.create_app("same").await);
        for (app_id, slower) in [(&slow, 2.5), (&same, 1.0)] {
            fill(&store, app_id, (START, RELEASED + 4 * HOUR), slower, &mut rng).await;
            release(&store, app_id, "a1", START + HOUR).await;
            release(&store, app_id, "b2", RELEASED).await;
        }
        let findings = async |app_id: &str| store.findings(app_id, FindingsOf::Since(0), 10).await.unwrap();
        take_looks(&store, None, (RELEASED + 10 * MINUTE) * MICROS).await.unwrap();
        assert_eq!(findings(&slow).await, [], "no look is due");

        let now = (RELEASED + 3 * HOUR + 7 * MINUTE) * MICROS;
        take_looks(&store, None, now).await.unwrap();
        assert_eq!(findings(&same).await, []);
        let found = findings(&slow).await;
        let [finding] = &found[..] else { panic!("{found:?}") };
        let start = "`GET /books/{id}` ";
        assert!(finding.sentence.starts_with(start), "{}", finding.sentence);
        assert!(finding.sentence.contains("with release R#2; the time is in `db.postgresql`"), "{}", finding.sentence);
        assert_eq!((&finding.since, finding.minutes, finding.is_mix), (&Since::Release(2), 180, false));
        assert!(finding.after_ms > 1.7 * finding.before_ms, "{finding:?}");
        assert_eq!(store.findings(&slow, FindingsOf::Release(2), 10).await.unwrap(), found);
        assert_eq!(store.findings(&slow, FindingsOf::Transaction(finding.transaction), 10).await.unwrap(), found);
        assert_eq!(store.findings(&slow, FindingsOf::Release(1), 10).await.unwrap(), []);

        // Each look is taken once.
        take_looks(&store, None, now + MICROS).await.unwrap();
        assert_eq!(findings(&slow).await, found);
        let releases = store.recent_releases(now).await.unwrap();
        let looks = releases.iter().map(|release| (release.number, release.looks.len())).collect::<Vec<_>>();
        assert_eq!(looks, [(2, 3), (1, 4), (2, 3), (1, 4)], "of both apps");
    }
}

/// Returns a sampled request with two statements, and their durations.
fn sample(app_id: &str, second: i64, statements: [(&str, f64); 2]) -> NewSample {
    let frames = json!([
        {"filename": "src/books.rs", "lineno": 118, "in_app": true},
        {"filename": "sqlx/src/query.rs", "lineno": 7, "in_app": false},
    ]);
    let group =
        |(signature, _): (&str, f64)| json!({"signature": signature, "kind": "db.postgresql", "frames": frames});
    let spans: Vec<_> =
        (0..).zip(statements).map(|(group, (_, ms))| json!({"group": group, "duration_ms": ms})).collect();
    let document = json!({"groups": statements.map(group), "spans": spans, "average_of": 0, "context": {}});
    NewSample {
        transaction: TransactionKey { app_id: app_id.to_owned(), kind: String::new(), name: NAMES[1].to_owned() },
        happened_at: second * MICROS,
        document: to_json(&document),
        ..NewSample::default()
    }
}

#[tokio::test]
async fn the_statement_that_takes_the_time_is_named_with_its_line() {
    for store in stores().await {
        let mut rng = Rng::with_seed(7);
        let app_id = store.create_app("shop").await;
        for begin in (START..RELEASED + 4 * HOUR).step_by(HOUR as usize) {
            let reviews_ms = if begin < RELEASED { 20.0 } else { 80.0 };
            let samples =
                vec![sample(&app_id, begin, [("SELECT FROM books", 20.0), ("SELECT FROM reviews", reviews_ms)])];
            store_changes(&store, &app_id, Changes { samples, ..Changes::default() }).await;
            fill(&store, &app_id, (begin, begin + HOUR), 2.5, &mut rng).await;
        }
        release(&store, &app_id, "a1", START + HOUR).await;
        release(&store, &app_id, "b2", RELEASED).await;
        take_looks(&store, None, (RELEASED + 3 * HOUR + 7 * MINUTE) * MICROS).await.unwrap();
        let found = store.findings(&app_id, FindingsOf::Release(2), 10).await.unwrap();
        let [finding] = &found[..] else { panic!("{found:?}") };
        let cause = "; the time is in `SELECT FROM reviews`, called from `src/books.rs:118`";
        assert!(finding.sentence.ends_with(cause), "{}", finding.sentence);
    }
}

/// Fills an app up to an hour after the time from which a transaction is slower, and takes the looks that are due then.
async fn found_without_release(store: &Store, app_id: &str, rng: &mut Rng) -> Vec<FindingRow> {
    fill(store, app_id, (START, RELEASED + 4 * HOUR), 2.5, rng).await;
    take_looks(store, None, (RELEASED + 3 * HOUR + 7 * MINUTE) * MICROS).await.unwrap();
    store.findings(app_id, FindingsOf::Since(0), 10).await.unwrap()
}

fn time_of(finding: &FindingRow) -> TimeOfChange {
    let Since::Time(change) = &finding.since else { panic!("{finding:?}") };
    change.clone()
}

#[tokio::test]
async fn a_change_without_a_release_is_found_once_and_ends_when_it_is_over() {
    for store in stores().await {
        let mut rng = Rng::with_seed(7);
        let app_id = store.create_app("shop").await;
        let found = found_without_release(&store, &app_id, &mut rng).await;
        let [finding] = &found[..] else { panic!("{found:?}") };
        let (start, end) = ("`GET /books/{id}` ", " at about 06:00 UTC; no release; the time is in `db.postgresql`");
        assert!(finding.sentence.starts_with(start) && finding.sentence.contains(end), "{}", finding.sentence);
        let change = time_of(finding);
        assert_eq!((change.began_at, change.ended_at), (RELEASED * MICROS, None));

        // It lasts, and is not found again.
        take_looks(&store, None, (RELEASED + 4 * HOUR + 7 * MINUTE) * MICROS).await.unwrap();
        assert_eq!(store.findings(&app_id, FindingsOf::Since(0), 10).await.unwrap(), found);

        fill(&store, &app_id, (RELEASED + 4 * HOUR, RELEASED + 9 * HOUR), 1.0, &mut rng).await;
        let after = RELEASED + 8 * HOUR;
        take_looks(&store, None, (after + 7 * MINUTE) * MICROS).await.unwrap();
        let found = store.findings(&app_id, FindingsOf::Transaction(finding.transaction), 10).await.unwrap();
        let [finding] = &found[..] else { panic!("{found:?}") };
        let change = time_of(finding);
        assert_eq!((change.ended_at, change.explained_by), (Some(after * MICROS), None));
    }
}

#[tokio::test]
async fn a_release_that_is_known_later_explains_a_change() {
    for store in stores().await {
        let mut rng = Rng::with_seed(7);
        let app_id = store.create_app("shop").await;
        let found = found_without_release(&store, &app_id, &mut rng).await;
        assert_eq!(found.len(), 1, "{found:?}");
        release(&store, &app_id, "a1", RELEASED).await;
        let now = (RELEASED + 4 * HOUR) * MICROS;
        take_looks(&store, None, now).await.unwrap();
        let found = store.findings(&app_id, FindingsOf::Since(0), 10).await.unwrap();
        let changes: Vec<_> = found.iter().filter(|finding| finding.since != Since::Release(1)).map(time_of).collect();
        let [change] = &changes[..] else { panic!("{found:?}") };
        assert_eq!((change.ended_at, change.explained_by), (Some(now), Some(1)));
        assert_eq!(found.len(), 2, "{found:?}");
    }
}

#[tokio::test]
async fn the_hours_after_a_release_are_those_of_its_looks() {
    for store in stores().await {
        let mut rng = Rng::with_seed(7);
        let app_id = store.create_app("shop").await;
        release(&store, &app_id, "a1", RELEASED - 5 * HOUR).await;
        assert_eq!(found_without_release(&store, &app_id, &mut rng).await, []);
    }
}

#[tokio::test]
async fn apps_without_data_are_judged_as_well() {
    for store in stores().await {
        let app_id = store.create_app("silent").await;
        release(&store, &app_id, "a1", RELEASED).await;
        take_looks(&store, None, (RELEASED + 26 * HOUR) * MICROS).await.unwrap();
        assert_eq!(store.findings(&app_id, FindingsOf::Since(0), 10).await.unwrap(), []);
        assert_eq!(store.recent_releases((RELEASED + 26 * HOUR) * MICROS).await.unwrap()[0].looks.len(), 4);
    }
}

/// A request: its result, its duration in milliseconds, and whether it failed.
type Answer = (&'static str, f64, bool);

/// Stores durations of a time by result, by rows of ten minutes. Those of one name are drawn by a function, which gets
/// whether the release was completed; the others are steady.
async fn fill_by_result(store: &Store, app_id: &str, rng: &mut Rng, subject: impl Fn(&mut Rng, bool) -> Answer) {
    let mut changes = Changes::default();
    for second in (START..RELEASED + 4 * HOUR).step_by(10 * MINUTE as usize) {
        for name in NAMES {
            let key = TransactionKey { app_id: app_id.to_owned(), kind: String::new(), name: name.to_owned() };
            for _ in 0..60 {
                let (result, ms, failed) = if name == "GET /books/{id}" {
                    subject(rng, second >= RELEASED)
                } else {
                    ("200", 40.0 * (0.5 + rng.f64()), false)
                };
                let rollup = changes.rollups.entry((key.clone(), second, result.to_owned())).or_default();
                rollup.insert(ms, None, failed);
            }
        }
    }
    store_changes(store, app_id, changes).await;
}

#[tokio::test]
async fn more_answers_of_a_slow_result_are_a_change_of_the_mix() {
    // Clients that have the page already get 304. After the release fewer of them do.
    let fewer_304 = |rng: &mut Rng, is_after: bool| -> Answer {
        let is_short = rng.f64() < if is_after { 0.3 } else { 0.7 };
        let spread = 0.5 + rng.f64();
        if is_short { ("304", 5.0 * spread, false) } else { ("200", 60.0 * spread, false) }
    };
    // After the release some requests wait for a lock, and fail. Others were not found before and after it.
    let failures = |rng: &mut Rng, is_after: bool| -> Answer {
        let spread = 0.5 + rng.f64();
        match rng.f64() {
            share if share < 0.3 => ("404", 30.0 * spread, false),
            share if share < 0.6 && is_after => ("503", 600.0 * spread, true),
            _ => ("200", 40.0 * spread, false),
        }
    };
    for store in stores().await {
        let mut rng = Rng::with_seed(7);
        let (mix, slower) = (store.create_app("mix").await, store.create_app("slower").await);
        fill_by_result(&store, &mix, &mut rng, fewer_304).await;
        fill_by_result(&store, &slower, &mut rng, failures).await;
        for app_id in [&mix, &slower] {
            release(&store, app_id, "a1", START + HOUR).await;
            release(&store, app_id, "b2", RELEASED).await;
        }
        take_looks(&store, None, (RELEASED + 3 * HOUR + 7 * MINUTE) * MICROS).await.unwrap();
        let findings = async |app_id: &str| store.findings(app_id, FindingsOf::Release(2), 10).await.unwrap();
        let found = findings(&mix).await;
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert!(finding.is_mix && finding.is_certain, "{finding:?}");
        assert!(finding.sentence.contains("because the mix changed"), "{}", finding.sentence);
        let found = findings(&slower).await;
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert!(!finding.is_mix, "{}", finding.sentence);
    }
}
