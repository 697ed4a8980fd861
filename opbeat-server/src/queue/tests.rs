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
    files.retain(|file| file.extension().is_some_and(|extension| extension == "records"));
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

/// Reads everything. Returns the bodies, and the number of damaged bytes that were skipped.
async fn read_all(queue: &Queue, reader: &mut Reader) -> (Vec<String>, Vec<usize>) {
    queue.append(b"the last one").await.unwrap();
    let (mut bodies, mut damage) = (Vec::new(), Vec::new());
    while bodies.last().is_none_or(|body| body != "the last one") {
        let batch = reader.next().await.unwrap().unwrap();
        damage.extend(batch.damage.map(|damage| damage.bytes.len()));
        bodies.extend(batch.records.into_iter().map(|record| String::from_utf8(record).unwrap()));
    }
    bodies.pop();
    (bodies, damage)
}

/// One record, in a closed segment or in the open one, is lost with its bytes; all others are read.
#[tokio::test]
async fn a_flipped_bit_costs_one_record() {
    let record = super::record::frame(b"body 7").len();
    for limits in [SMALL, QueueLimits::default()] {
        for byte in 0..record {
            let folder = tempfile::tempdir().unwrap();
            let (queue, _) = Queue::open(folder.path(), limits, Position::default()).unwrap();
            append(&queue, 0..10).await;
            append(&queue, 10..100).await;
            drop(queue);
            let (first, _) = super::segment::file(folder.path(), 1);
            let mut bytes = fs::read(&first).unwrap();
            bytes[7 * record + byte] ^= 0x04;
            fs::write(&first, bytes).unwrap();
            let (queue, mut reader) = Queue::open(folder.path(), limits, Position::default()).unwrap();
            let (read, damage) = read_all(&queue, &mut reader).await;
            let expected: Vec<String> = bodies(0..100).into_iter().filter(|body| body != "body 7").collect();
            assert_eq!(read, expected, "byte {byte}");
            assert_eq!(damage, [record], "byte {byte}");
        }
    }
}

#[tokio::test]
async fn segments_of_earlier_versions_are_read_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let earlier: Vec<u8> =
        (0..3).flat_map(|number| super::record::frame(format!("body {number}").as_bytes())[4..].to_vec()).collect();
    fs::write(folder.path().join(format!("{:020}.log", 1)), earlier).unwrap();
    let (queue, mut reader) = Queue::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 3..5).await;
    assert_eq!(read_all(&queue, &mut reader).await, (bodies(0..5), Vec::new()));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (queue, _) = Queue::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 0..1).await;
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(last_segment(folder.path())).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
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
