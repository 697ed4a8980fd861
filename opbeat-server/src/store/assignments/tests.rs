//! Tests of looks at groups, beside decisions of people and other changes.

use std::time::{Duration, Instant};

use super::*;
use crate::changes::{BodyChanges, Changes, NewError};
use crate::queue::Mark;
use crate::store::engine::Engine;
use crate::store::testing::TestStore;
use crate::store::{NewRepository, Store, StoredRecord, stores};

/// The longest wait for another connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// Creates an app with an error, and returns the look at its group that finds nobody.
async fn app_with_error(store: &TestStore, name: &str) -> LookedAt {
    let app_id = store.create_app(name).await;
    let error = NewError {
        app_id: app_id.clone(),
        fingerprint: vec![1],
        happened_at: 1,
        occurrences: 1,
        document: b"{}".to_vec(),
        ..NewError::default()
    };
    let bodies =
        vec![BodyChanges::new(app_id.clone(), String::new(), 0, Changes { errors: vec![error], ..Changes::default() })];
    store.apply(vec![StoredRecord { id: None, bodies }], Vec::new(), Mark::Records, 0).await.unwrap();
    let groups = store.groups_to_assign(0, 10).await.unwrap();
    let group = groups.into_iter().find(|group| group.app_id == app_id).unwrap();
    let basis = Basis { assigns_authors: group.assigns_authors, ..Basis::default() };
    LookedAt { group: group.id, app_id, basis, assignee: None, reason: "nobody was found".to_owned() }
}

/// Waits until another connection waits for a lock of this one's transaction. SQLite has none.
fn wait_for_other(connection: &mut Connection) {
    if connection.engine() == Engine::Sqlite {
        return;
    }
    let waiting = "SELECT count(*) FROM pg_locks AS waiting WHERE NOT granted AND EXISTS (
        SELECT 1 FROM pg_locks AS held JOIN pg_database ON pg_database.oid = held.database
        WHERE held.pid = waiting.pid AND pg_database.datname = current_database())";
    let started = Instant::now();
    while query(waiting).fetch_one(connection).unwrap().try_get::<i64, _>(0).unwrap() == 0 {
        assert!(started.elapsed() < PATIENCE, "the other connection does not wait");
        std::thread::yield_now();
    }
}

/// Lets a person decide about the groups of looks, one after the other, while another process stores the looks in the opposite
/// order.
async fn decide_meanwhile(store: &TestStore, looks: &[LookedAt], locks: bool) {
    let other = store.open_again().await;
    let (has_decided, decided) = tokio::sync::oneshot::channel();
    let apps: Vec<String> = looks.iter().map(|look| look.app_id.clone()).collect();
    let groups: Vec<i64> = looks.iter().map(|look| look.group).collect();
    let decision = store.write(move |connection| {
        if locks {
            lock_each(connection, apps.iter().map(|app_id| &**app_id))?;
        }
        let decision = (None, Some(AssignedBy::Person), "Ana decided it");
        set(connection, ASSIGN, groups[0], decision)?;
        has_decided.send(()).unwrap();
        wait_for_other(connection);
        groups[1..].iter().try_for_each(|group| set(connection, ASSIGN, *group, decision).map(drop))
    });
    let looked = async {
        decided.await.unwrap();
        other.add_looks(looks.iter().rev().cloned().collect(), 2).await
    };
    let (decision, looked) = tokio::join!(decision, looked);
    decision.unwrap();
    looked.unwrap();
    other.close().await;
}

/// Returns the reason and the number of events of a group. The first one is that it was created.
async fn state(store: &Store, group: i64) -> (String, i64) {
    let select =
        "SELECT assignment_reason, (SELECT count(*) FROM activities WHERE group_id = error_groups.id) AS events
                  FROM error_groups WHERE id = ?";
    let row = query(select).bind(group).read_one(&store.readers).await.unwrap();
    (row.try_get("assignment_reason").unwrap(), row.try_get("events").unwrap())
}

#[tokio::test]
async fn a_decision_during_a_look_stays() {
    for store in stores().await {
        // A process of an earlier version takes no lock of the app.
        let look = app_with_error(&store, "old").await;
        decide_meanwhile(&store, std::slice::from_ref(&look), false).await;
        assert_eq!(state(&store, look.group).await, ("Ana decided it".to_owned(), 1));

        let looks = [app_with_error(&store, "shop").await, app_with_error(&store, "blog").await];
        decide_meanwhile(&store, &looks, true).await;
        for look in &looks {
            assert_eq!(state(&store, look.group).await, ("Ana decided it".to_owned(), 1));
        }
        assert_eq!(store.groups_to_assign(0, 10).await.unwrap(), []);
        store.close().await;
    }
}

#[tokio::test]
async fn a_look_at_what_has_changed_since_is_left_out() {
    for store in stores().await {
        let look = app_with_error(&store, "shop").await;
        let is_due = async || !store.groups_to_assign(0, 10).await.unwrap().is_empty();
        let new = NewRepository { url: "/srv/shop.git".to_owned(), ..NewRepository::default() };
        store.connect_repository(("acme", "shop"), &new, 7).await.unwrap().unwrap();
        let with = |basis: Basis| LookedAt { basis, ..look.clone() };
        let connected = Basis { connected_at: Some(7), ..look.basis };
        let failed = Basis { fetched: (false, true), ..connected };
        let fetched = Basis { fetched: (true, false), ..connected };
        store.add_looks(vec![look.clone()], 8).await.unwrap();
        assert!(is_due().await, "the look did not know the repository");
        store.add_fetch(&look.app_id, 9, Some("no route".to_owned())).await.unwrap();
        store.add_fetch(&look.app_id, 10, None).await.unwrap();
        for basis in [connected, failed, Basis { assigns_authors: !look.basis.assigns_authors, ..fetched }] {
            store.add_looks(vec![with(basis)], 11).await.unwrap();
            assert!(is_due().await, "{basis:?}");
        }
        // The group of another app.
        let other = LookedAt { app_id: store.create_app("blog").await, basis: look.basis, ..look.clone() };
        store.add_looks(vec![other], 11).await.unwrap();
        assert!(is_due().await);
        store.add_looks(vec![with(fetched)], 12).await.unwrap();
        assert!(!is_due().await);
        assert_eq!(state(&store, look.group).await, ("nobody was found".to_owned(), 1));
        store.close().await;
    }
}

#[tokio::test]
async fn commits_of_a_repository_that_was_replaced_are_left_out() {
    for store in stores().await {
        let app_id = store.create_app("shop").await;
        let new = NewRepository { url: "/srv/shop.git".to_owned(), ..NewRepository::default() };
        store.connect_repository(("acme", "shop"), &new, 7).await.unwrap().unwrap();
        let insert =
            "INSERT INTO releases (app_id, number, rev, branch, status, first_completed_at, last_completed_at, commits_due)
                      VALUES (?, 1, 'a', '', 'completed', 1, 1, 1)";
        let insert = query(insert).bind(app_id.clone());
        store.write(move |connection| Ok(insert.execute(connection)?)).await.unwrap();
        let due = async || store.releases_to_read(0, 10).await.unwrap();
        let release = due().await[0].id;
        store.connect_repository(("acme", "shop"), &new, 8).await.unwrap().unwrap();
        for (connected_at, left) in [(7, 1), (8, 0)] {
            let changes = crate::store::ReleaseChanges::default();
            store.add_commits((&app_id, release), connected_at, changes, Vec::new()).await.unwrap();
            assert_eq!(due().await.len(), left);
        }
        store.close().await;
    }
}
