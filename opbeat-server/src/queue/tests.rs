//! The queue alone: each appended message is read once, also after damage to its files.

use std::fs;
use std::path::Path;

use super::{Position, Queue, QueueLimits, Reader};

const SMALL: QueueLimits = QueueLimits { segment: 300, backlog: 1 << 20 };

async fn append(queue: &Queue, numbers: std::ops::Range<usize>) {
    for number in numbers {
        queue.append(format!("body {number}").as_bytes()).await.unwrap();
    }
}

/// Reads batches until they contain `count` messages. Returns the bodies and the position after them.
async fn read(reader: &mut Reader, count: usize) -> (Vec<String>, Position) {
    let mut bodies = Vec::new();
    let mut position = Position::default();
    while bodies.len() < count {
        let batch = reader.next().await.unwrap().unwrap();
        for record in batch.records {
            bodies.push(String::from_utf8(record).unwrap());
        }
        position = batch.next;
    }
    (bodies, position)
}

fn bodies(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("body {number}")).collect()
}

fn last_segment(folder: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    files.pop().unwrap()
}

#[tokio::test]
async fn records_are_read_in_order_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (queue, mut reader) = Queue::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 0..100).await;
    assert!(fs::read_dir(folder.path()).unwrap().count() > 3, "several segments are created");
    let (read, position) = read(&mut reader, 100).await;
    assert_eq!(read, bodies(0..100));
    queue.release(position).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "released segments are removed");
    assert_eq!(queue.backlog(), 0);
}

#[tokio::test]
async fn a_reopened_queue_continues_at_its_position() {
    let folder = tempfile::tempdir().unwrap();
    let (queue, mut reader) = Queue::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 0..30).await;
    let (_, position) = read(&mut reader, 30).await;
    append(&queue, 30..40).await;
    drop((queue, reader));
    let (queue, mut reader) = Queue::open(folder.path(), SMALL, position).unwrap();
    append(&queue, 40..45).await;
    assert_eq!(read(&mut reader, 15).await.0, bodies(30..45));
}

#[tokio::test]
async fn a_torn_last_record_is_cut_off_at_every_length() {
    let limits = QueueLimits::default();
    let folder = tempfile::tempdir().unwrap();
    let (queue, _) = Queue::open(folder.path(), limits, Position::default()).unwrap();
    append(&queue, 0..3).await;
    drop(queue);
    let file = last_segment(folder.path());
    let whole = fs::read(&file).unwrap();
    let third = whole.len() / 3;
    for cut in 1..third {
        fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        let (queue, mut reader) = Queue::open(folder.path(), limits, Position::default()).unwrap();
        append(&queue, 7..8).await;
        let (read, _) = read(&mut reader, 3).await;
        assert_eq!(read, ["body 0", "body 1", "body 7"], "cut by {cut}");
    }
}

#[tokio::test]
async fn damage_in_a_closed_segment_skips_only_the_rest_of_that_segment() {
    let folder = tempfile::tempdir().unwrap();
    let (queue, _) = Queue::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 0..100).await;
    drop(queue);
    let first = folder.path().join(format!("{:020}.log", 1));
    let mut bytes = fs::read(&first).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(&first, bytes).unwrap();
    let (queue, mut reader) = Queue::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 100..101).await;
    let mut seen = Vec::new();
    let mut damage = 0;
    while seen.last() != Some(&"body 100".to_owned()) {
        let batch = reader.next().await.unwrap().unwrap();
        damage += usize::from(batch.damage.is_some());
        seen.extend(batch.records.iter().map(|record| String::from_utf8(record.clone()).unwrap()));
    }
    assert_eq!(damage, 1);
    assert!(seen.len() > 85 && seen.len() < 101, "{}", seen.len());
}

#[tokio::test]
async fn a_full_queue_rejects_messages_until_some_are_released() {
    let folder = tempfile::tempdir().unwrap();
    let limits = QueueLimits { backlog: 500, ..SMALL };
    let (queue, mut reader) = Queue::open(folder.path(), limits, Position::default()).unwrap();
    let mut appended = 0;
    while queue.append(b"body").await.is_ok() {
        appended += 1;
    }
    let (_, position) = read(&mut reader, appended).await;
    queue.release(position).unwrap();
    queue.append(b"body 0").await.unwrap();
}
