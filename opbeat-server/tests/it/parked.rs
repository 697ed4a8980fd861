//! Data that was accepted and cannot be stored: it stops nobody, and can be listed and replayed.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::database::Database;
use crate::running::Running;

#[tokio::test]
async fn a_body_that_the_database_rejects_is_parked_and_can_be_replayed() {
    let running = Running::start().await;
    let other = running.server.create_app("acme", "other").await.unwrap();
    // While the database is locked, bodies wait in the queue.
    let database = Database::of(&running).await;
    database.lock().await;
    running.accept("errors", &json!({"message": "no books"})).await;
    let url = crate::running::intake_url(&other, "errors");
    let accepted = running.client.post(url).bearer_auth(&other.secret_token).body(r#"{"message": "no pens"}"#);
    assert_eq!(accepted.send().await.unwrap().status(), 202);
    // Then the app of the first body is gone.
    database.run(&format!("DELETE FROM apps WHERE id = '{}'", running.app.app_id)).await;
    database.unlock().await;
    running.drained().await;
    let errors = running.ask_of("other", "errors/").await;
    assert_eq!(errors["errors"][0]["message"], "no pens", "the neighbour is stored");

    let list = running.command(&["parked", "list"]).await;
    assert!(list.contains("the database failed") && list.contains("1 parked."), "{list}");
    assert!(running.command(&["parked", "replay"]).await.contains("0 stored, 1 still parked."));

    let restore = format!(
        "INSERT INTO apps (id, organization_id, short_name, created_at) VALUES ('{}', '{}', 'shop', 0)",
        running.app.app_id, running.app.organization_id
    );
    database.run(&restore).await;
    assert!(running.command(&["parked", "replay"]).await.contains("1 stored, 0 still parked."));
    assert_eq!(running.ask("errors/").await["errors"][0]["message"], "no books");
    assert!(running.command(&["parked", "list"]).await.contains("0 parked."));
}

#[tokio::test]
async fn a_damaged_record_loses_only_itself_and_is_kept() {
    let running = Running::start().await;
    let data = running.folder.path().to_owned();
    let database = Database::of(&running).await;
    database.lock().await;
    for number in 0..3 {
        running.accept("errors", &json!({"message": format!("shelf {number} is empty")})).await;
    }
    // The disk flips a bit of the second record, inside of a text.
    let segment = first_segment(&data);
    let mut bytes = std::fs::read(&segment).unwrap();
    let message = message_of(&bytes, 1);
    bytes[message] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    database.unlock().await;
    running.drained().await;
    let seen = |errors: &serde_json::Value| {
        let errors = errors["errors"].as_array().unwrap();
        errors.iter().map(|error| error["times_seen"].as_i64().unwrap()).sum::<i64>()
    };
    assert_eq!(seen(&running.ask("errors/").await), 2);
    let list = running.command(&["parked", "list"]).await;
    assert!(list.contains("bytes of the queue are damaged") && list.contains("1 parked."), "{list}");
    assert!(running.command(&["parked", "replay"]).await.contains("1 stored"));
    assert_eq!(seen(&running.ask("errors/").await), 3);
}

/// Returns the file with the records of the queue.
fn first_segment(data: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(data.join("queue")).unwrap().map(|file| file.unwrap().path());
    files.find(|file| file.extension().is_some_and(|extension| extension == "records")).unwrap()
}

/// Returns the position of the message of an error in the records of the queue.
fn message_of(records: &[u8], number: usize) -> usize {
    let message = format!("shelf {number} is empty");
    records.windows(message.len()).position(|text| text == message.as_bytes()).unwrap()
}

/// Returns how often all errors were seen.
async fn times_seen(running: &Running) -> i64 {
    let errors = running.ask("errors/").await;
    errors["errors"].as_array().unwrap().iter().map(|error| error["times_seen"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn damage_of_several_records_is_replayed_record_by_record() {
    let running = Running::start().await;
    let data = running.folder.path().to_owned();
    let database = Database::of(&running).await;
    database.lock().await;
    for number in 0..5 {
        running.accept("errors", &json!({"message": format!("shelf {number} is empty")})).await;
    }
    let segment = first_segment(&data);
    let mut bytes = std::fs::read(&segment).unwrap();
    let mark = bytes[..4].to_vec();
    let records: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&mark)).collect();
    assert_eq!(records.len(), 5);
    for number in 1..4 {
        let message = message_of(&bytes, number);
        bytes[message] ^= 1;
    }
    // The third one cannot be read at all: its format is damaged.
    bytes[records[2] + 12] ^= 0x40;
    std::fs::write(&segment, bytes).unwrap();
    database.unlock().await;
    running.drained().await;
    assert_eq!(times_seen(&running).await, 2);
    assert!(running.command(&["parked", "list"]).await.contains("1 parked."));
    let replayed = running.command(&["parked", "replay"]).await;
    assert!(replayed.contains("stored in part; 1 of its records are parked again"), "{replayed}");
    assert_eq!(times_seen(&running).await, 4);
    let replayed = running.command(&["parked", "replay"]).await;
    assert!(replayed.contains("the record has an unknown format") && replayed.contains("0 stored, 1 still parked."));
    assert_eq!(times_seen(&running).await, 4);
}

/// Parks messages as they are.
async fn park(database: &Database, message: &[u8], count: i64) {
    let message = database.bytes(message);
    let park = format!(
        "INSERT INTO parked_messages (parked_at, reason, message)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         SELECT 0, 'no books', {message} FROM n"
    );
    database.run(&park).await;
}

/// Returns the record of an earlier version without a mark, whose checksum is wrong.
fn unmarked_record(running: &Running, key: &str) -> Vec<u8> {
    let app = &running.app.app_id;
    let envelope = json!({"app_id": app, "endpoint": "errors", "received_at": 0, "idempotency_key": key});
    let payload = format!("{envelope}\n{}", json!({"message": "no books"}));
    [&(payload.len() as u32).to_le_bytes(), &[0; 4], payload.as_bytes()].concat()
}

async fn post_with_key(running: &Running, key: &str) {
    let request = running.client.post(running.intake("errors")).bearer_auth(&running.app.secret_token);
    let request = request.header("Idempotency-Key", key).body(r#"{"message": "no books"}"#);
    assert_eq!(request.send().await.unwrap().status(), 202);
}

#[tokio::test]
async fn damaged_records_of_an_earlier_version_are_replayed_and_repetitions_count_once() {
    let running = Running::start().await;
    post_with_key(&running, "stored before").await;
    running.drained().await;
    let database = Database::of(&running).await;
    let records = [unmarked_record(&running, "new"), unmarked_record(&running, "stored before")].concat();
    park(&database, &records, 1).await;
    assert!(running.command(&["parked", "replay"]).await.contains("1 stored"));
    assert_eq!(times_seen(&running).await, 2);
    post_with_key(&running, "new").await;
    running.drained().await;
    assert_eq!(times_seen(&running).await, 2);
}

#[tokio::test]
async fn a_repetition_of_a_body_that_an_earlier_version_stored_counts_nothing() {
    let running = Running::start().await;
    let database = Database::of(&running).await;
    let app = &running.app.app_id;
    database.run(&format!("INSERT INTO stored_bodies (app_id, key, stored_at) VALUES ('{app}', 'one', 0)")).await;
    post_with_key(&running, "one").await;
    running.drained().await;
    assert_eq!(times_seen(&running).await, 0);
    // A key that is another one with its endpoint is no repetition of it.
    post_with_key(&running, "two").await;
    post_with_key(&running, "errors:two").await;
    running.drained().await;
    assert_eq!(times_seen(&running).await, 2);
}

#[tokio::test]
async fn all_pages_of_parked_messages_are_replayed() {
    let running = Running::start().await;
    let database = Database::of(&running).await;
    park(&database, b"no record", 2_001).await;
    let list = running.command(&["parked", "list"]).await;
    assert_eq!(list.matches("no books").count(), 2_001);
    assert!(list.contains("2001 parked."));
    assert!(running.command(&["parked", "replay"]).await.contains("0 stored, 2001 still parked."));
    park(&database, b"\x01\0", 1).await;
    assert!(running.command(&["parked", "replay"]).await.contains("1 stored, 2001 still parked."));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_data() {
    use std::os::unix::fs::PermissionsExt;
    let running = Running::start().await;
    running.accept("errors", &json!({"message": "no books"})).await;
    let mut folders = vec![running.folder.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
                assert_eq!(mode, 0o600, "{}", entry.path().display());
                files += 1;
            }
        }
    }
    assert!(files >= if running.database.is_some() { 2 } else { 3 });
}
