//! The log alone: each appended message is read once, also after damage to its files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::super::{AppendError, QueueLimits};
use super::{Log, Position, Reader, RecordBatch};

const SMALL: QueueLimits = QueueLimits { segment: 300, backlog: 1 << 20 };

async fn append(queue: &Log, numbers: std::ops::Range<usize>) {
    for number in numbers {
        queue.append("shop", format!("body {number}").as_bytes()).await.unwrap();
    }
}

/// Returns the next batch. A missing one fails the test after a time that no working test reaches.
async fn next(reader: &mut Reader) -> RecordBatch {
    let batch = tokio::time::timeout(Duration::from_secs(60), reader.next()).await;
    batch.expect("a batch is in the queue").unwrap().unwrap()
}

/// Reads batches until they contain `count` messages. Returns the bodies and the position after them.
async fn read(reader: &mut Reader, count: usize) -> (Vec<String>, Position) {
    let mut bodies = Vec::new();
    let mut position = Position::default();
    while bodies.len() < count {
        let batch = next(reader).await;
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
    let (queue, mut reader) = Log::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 0..100).await;
    assert!(fs::read_dir(folder.path()).unwrap().count() > 3, "several segments are created");
    let (read, position) = read(&mut reader, 100).await;
    assert_eq!(read, bodies(0..100));
    queue.release(position).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "released segments are removed");
    assert_eq!(queue.backlog().bytes(), 0);
}

#[tokio::test]
async fn a_reopened_queue_continues_at_its_position() {
    let folder = tempfile::tempdir().unwrap();
    let (queue, mut reader) = Log::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 0..30).await;
    let (_, position) = read(&mut reader, 30).await;
    append(&queue, 30..40).await;
    drop((queue, reader));
    let (queue, mut reader) = Log::open(folder.path(), SMALL, position).unwrap();
    append(&queue, 40..45).await;
    assert_eq!(read(&mut reader, 15).await.0, bodies(30..45));
}

#[tokio::test]
async fn a_torn_last_record_is_cut_off_at_every_length() {
    let limits = QueueLimits::default();
    let folder = tempfile::tempdir().unwrap();
    let (queue, _) = Log::open(folder.path(), limits, Position::default()).unwrap();
    append(&queue, 0..3).await;
    drop(queue);
    let file = last_segment(folder.path());
    let whole = fs::read(&file).unwrap();
    let third = whole.len() / 3;
    for cut in 1..third {
        fs::write(&file, &whole[..whole.len() - cut]).unwrap();
        let (queue, mut reader) = Log::open(folder.path(), limits, Position::default()).unwrap();
        append(&queue, 7..8).await;
        let (read, _) = read(&mut reader, 3).await;
        assert_eq!(read, ["body 0", "body 1", "body 7"], "cut by {cut}");
    }
}

/// Reads everything. Returns the bodies, and the number of damaged bytes that were skipped.
async fn read_all(queue: &Log, reader: &mut Reader) -> (Vec<String>, Vec<usize>) {
    queue.append("shop", b"the last one").await.unwrap();
    let (mut bodies, mut damage) = (Vec::new(), Vec::new());
    while bodies.last().is_none_or(|body| body != "the last one") {
        let batch = next(reader).await;
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
            let (queue, _) = Log::open(folder.path(), limits, Position::default()).unwrap();
            append(&queue, 0..10).await;
            append(&queue, 10..100).await;
            drop(queue);
            let (first, _) = super::segment::file(folder.path(), 1);
            let mut bytes = fs::read(&first).unwrap();
            bytes[7 * record + byte] ^= 0x04;
            fs::write(&first, bytes).unwrap();
            let (queue, mut reader) = Log::open(folder.path(), limits, Position::default()).unwrap();
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
    fs::write(folder.path().join(format!("{:020}.log", 1)), unmarked_records()).unwrap();
    let (queue, mut reader) = Log::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 3..5).await;
    assert_eq!(read_all(&queue, &mut reader).await, (bodies(0..5), Vec::new()));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (queue, _) = Log::open(folder.path(), SMALL, Position::default()).unwrap();
    append(&queue, 0..1).await;
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(last_segment(folder.path())).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

/// The `.log` file of an earlier version with three bodies.
fn unmarked_records() -> Vec<u8> {
    let record = |number| super::record::frame(format!("body {number}").as_bytes())[4..].to_vec();
    (0..3).flat_map(record).collect()
}

#[tokio::test]
async fn a_flipped_bit_in_a_segment_of_an_earlier_version_costs_one_record() {
    let records = unmarked_records();
    let size = records.len() / 3;
    for (flipped, byte) in (0..3).flat_map(|record| (0..size).map(move |byte| (record, byte))) {
        let folder = tempfile::tempdir().unwrap();
        let mut records = records.clone();
        records[flipped * size + byte] ^= 0x04;
        fs::write(folder.path().join(format!("{:020}.log", 1)), records).unwrap();
        let (queue, mut reader) = Log::open(folder.path(), SMALL, Position::default()).unwrap();
        let expected = bodies(0..3).into_iter().filter(|body| *body != format!("body {flipped}")).collect();
        assert_eq!(read_all(&queue, &mut reader).await, (expected, vec![size]), "byte {byte} of record {flipped}");
    }
}

#[tokio::test]
async fn two_damaged_records_of_an_earlier_version_are_stepped_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut records = unmarked_records();
    let size = records.len() / 3;
    records[size - 1] ^= 1;
    records[2 * size - 1] ^= 1;
    fs::write(folder.path().join(format!("{:020}.log", 1)), records).unwrap();
    let (queue, mut reader) = Log::open(folder.path(), SMALL, Position::default()).unwrap();
    assert_eq!(read_all(&queue, &mut reader).await, (bodies(2..3), vec![2 * size]));
}

#[tokio::test]
async fn bytes_wait_until_their_queue_or_their_app_has_room() {
    let folder = tempfile::tempdir().unwrap();
    let limits = QueueLimits { backlog: 4_000, ..SMALL };
    let (queue, mut reader) = Log::open(folder.path(), limits, Position::default()).unwrap();
    let body = [b'b'; 100];
    let record = super::record::frame(&body).len();
    let mut appended = 0;
    for app in ["shop", "blog", "bank", "wiki", "mail"] {
        let mut of_app = 0;
        let error = loop {
            match queue.append(app, &body).await {
                Ok(()) => of_app += 1,
                Err(error) => break error,
            }
        };
        appended += of_app;
        match app {
            "mail" => assert!(matches!(error, AppendError::Full(4_000)), "{error}"),
            _ => {
                assert!(matches!(error, AppendError::AppFull(1_000)), "{error}");
                assert_eq!(of_app, 1_000 / record, "an app has a quarter");
                assert!(queue.condition().refusal().is_none(), "the others have room");
            }
        }
    }
    assert!(
        !queue.backlog().is_full() && queue.condition().refusal().is_some(),
        "a body did not fit, although a smaller one would"
    );
    let (_, position) = read(&mut reader, appended).await;
    queue.release(position).unwrap();
    for _ in 0..1_000 / record {
        queue.append("shop", &body).await.unwrap();
    }
    assert!(queue.condition().refusal().is_none());
}

#[tokio::test]
async fn bytes_that_cannot_be_written_count_for_no_app() {
    let folder = tempfile::tempdir().unwrap();
    let limits = QueueLimits { segment: 1, backlog: 400 };
    let queue_folder = folder.path().join("queue");
    let (queue, _reader) = Log::open(&queue_folder, limits, Position::default()).unwrap();
    queue.append("shop", b"body").await.unwrap();
    fs::rename(&queue_folder, folder.path().join("away")).unwrap();
    for _ in 0..20 {
        assert!(matches!(queue.append("shop", b"body").await, Err(AppendError::Disk(_))));
    }
    fs::rename(folder.path().join("away"), &queue_folder).unwrap();
    queue.append("shop", b"body").await.unwrap();
}

#[tokio::test]
async fn a_segment_that_was_half_created_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let limits = QueueLimits { segment: 1, ..SMALL };
    let (queue, mut reader) = Log::open(folder.path(), limits, Position::default()).unwrap();
    append(&queue, 0..1).await;
    fs::write(folder.path().join(format!("{:020}.records", 2)), []).unwrap();
    append(&queue, 1..3).await;
    assert_eq!(read(&mut reader, 3).await.0, bodies(0..3));
}

/// The last record is damaged after it was acknowledged. It is not cut off, whichever byte it is.
#[tokio::test]
async fn a_damaged_last_record_is_left_for_the_reader() {
    let record = super::record::frame(b"body 2").len();
    for byte in 0..record {
        let folder = tempfile::tempdir().unwrap();
        let limits = QueueLimits::default();
        let (queue, _) = Log::open(folder.path(), limits, Position::default()).unwrap();
        append(&queue, 0..3).await;
        drop(queue);
        let file = last_segment(folder.path());
        let mut bytes = fs::read(&file).unwrap();
        bytes[2 * record + byte] ^= 0x04;
        fs::write(&file, bytes).unwrap();
        let (queue, mut reader) = Log::open(folder.path(), limits, Position::default()).unwrap();
        assert_eq!(read_all(&queue, &mut reader).await, (bodies(0..2), vec![record]), "byte {byte}");
    }
}

/// New records are after the store's cursor, and are read after another crash, even if stored records were damaged or
/// the folder was removed.
#[tokio::test]
async fn nothing_is_appended_before_the_cursor() {
    for damage in ["flipped", "cut", "removed", "replaced"] {
        let folder = tempfile::tempdir().unwrap();
        let limits = QueueLimits::default();
        let cursor = {
            let (queue, mut reader) = Log::open(folder.path(), limits, Position { segment: 4, offset: 0 }).unwrap();
            append(&queue, 0..3).await;
            read(&mut reader, 3).await.1
        };
        let file = last_segment(folder.path());
        let mut bytes = fs::read(&file).unwrap();
        match damage {
            "flipped" => *bytes.last_mut().unwrap() ^= 1,
            "cut" => bytes.truncate(bytes.len() - 1),
            _ => fs::remove_file(&file).unwrap(),
        }
        match damage {
            "flipped" | "cut" => fs::write(&file, bytes).unwrap(),
            "replaced" => fs::write(folder.path().join(format!("{:020}.records", 2)), bytes).unwrap(),
            _ => {}
        }
        drop(Log::open(folder.path(), limits, cursor).unwrap());
        let (queue, _) = Log::open(folder.path(), limits, cursor).unwrap();
        append(&queue, 3..4).await;
        drop(queue);
        let (queue, mut reader) = Log::open(folder.path(), limits, cursor).unwrap();
        assert_eq!(read_all(&queue, &mut reader).await, (bodies(3..4), Vec::new()), "{damage}");
    }
}

/// A folder in place of a segment's file: it can be opened, and each attempt to read it fails, as on a failing disk.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_segment_that_cannot_be_read_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let limits = QueueLimits { segment: 1, ..SMALL };
    let (queue, _) = Log::open(folder.path(), limits, Position::default()).unwrap();
    append(&queue, 0..3).await;
    drop(queue);
    for segment in [2, 3] {
        let file = folder.path().join(format!("{segment:020}.records"));
        fs::remove_file(&file).unwrap();
        fs::create_dir(file).unwrap();
    }
    let (queue, mut reader) = Log::open(folder.path(), limits, Position::default()).unwrap();
    append(&queue, 3..4).await;
    let mut read = Vec::new();
    let (mut failures, mut position) = (0, Position::default());
    while read.len() < 2 {
        match reader.next().await {
            Ok(batch) => {
                let batch = batch.unwrap();
                read.extend(batch.records);
                position = batch.next;
            }
            Err(_) => failures += 1,
        }
        assert!(failures < 100, "the reader goes on");
    }
    assert_eq!(read, [b"body 0", b"body 3"]);
    assert!(failures > 1, "the disk gets several chances");
    queue.release(position).unwrap_err();
    assert_eq!(queue.backlog().bytes(), 0, "what is stored does not wait, even if its segment cannot be removed");
}

/// A reader takes a longer record for damage, so that it must not be acknowledged.
#[tokio::test]
async fn a_record_that_cannot_be_read_again_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (queue, mut reader) = Log::open(folder.path(), QueueLimits::default(), Position::default()).unwrap();
    let large = vec![0; super::record::MAX_PAYLOAD + 1];
    assert!(matches!(queue.append("app", &large).await, Err(AppendError::TooLarge(_))));
    append(&queue, 0..1).await;
    assert_eq!(read(&mut reader, 1).await.0, bodies(0..1));
}
