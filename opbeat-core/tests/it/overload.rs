use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Duration;

use opbeat_core::export::{Batch, ExportError, Exporter, FlushError};
use opbeat_core::{Agent, Config};

use crate::{PATIENCE, monitored};

#[test]
fn counts_of_many_threads_are_exact() {
    let (agent, exporter) = monitored();
    let barrier = Arc::new(Barrier::new(4));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (agent, barrier) = (agent.clone(), Arc::clone(&barrier));
            std::thread::spawn(move || {
                barrier.wait();
                for _ in 0..25_000 {
                    agent.begin_transaction("task.test").end("test", "ok");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("test"), 100_000);
}

/// An exporter that blocks until it is released.
struct Stuck {
    entered: mpsc::Sender<()>,
    released: mpsc::Receiver<()>,
    inner: opbeat_testing::MemoryExporter,
}

impl Exporter for Stuck {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        self.entered.send(()).unwrap();
        self.released.recv().unwrap();
        self.inner.export(batch)
    }
}

#[test]
fn a_stuck_exporter_blocks_no_transaction() {
    let (entered, is_stuck) = mpsc::channel();
    let (release, released) = mpsc::channel();
    let inner = opbeat_testing::MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), Stuck { entered, released, inner: inner.clone() });

    agent.begin_transaction("task.test").end("test", "ok");
    let timeout = std::time::Duration::from_millis(50);
    assert!(agent.flush(timeout).is_err(), "the deadline holds");
    is_stuck.recv().unwrap();
    for _ in 0..20_000 {
        agent.begin_transaction("task.test").end("test", "ok");
    }
    for _ in 0..3 {
        release.send(()).unwrap();
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!(inner.count("test"), 20_001);
}

#[test]
fn a_burst_of_similar_errors_makes_few_reports() {
    let (agent, exporter) = monitored();
    for _ in 0..5_000 {
        agent.capture_error(&std::fmt::Error);
    }
    agent.flush(PATIENCE).unwrap();
    assert!(exporter.errors().len() <= 500, "{}", exporter.errors().len());
    assert!(!exporter.errors().is_empty());
}

/// An exporter whose deliveries fail.
struct Failing {
    seen: mpsc::Sender<(usize, usize)>,
}

impl Exporter for Failing {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        // The test may have ended.
        let _ = self.seen.send((batch.samples.len(), batch.errors.len()));
        Err(ExportError::new("the server is away"))
    }
}

#[test]
fn batches_are_limited_during_an_outage() {
    let (seen, _batches) = mpsc::channel();
    let agent = Agent::with_exporter(&Config::default(), Failing { seen });
    for _ in 0..20 {
        for number in 0..200 {
            agent.begin_transaction("task.test").end(format!("test {number}"), "failed");
            agent.capture_error(&std::fmt::Error);
        }
        // Each flush makes a batch that waits.
        assert!(agent.flush(PATIENCE).is_err());
    }
    assert!(agent.shutdown(PATIENCE).is_err(), "the rest is dropped, which is an error");
}

/// An exporter whose deliveries fail until the outage is over.
struct Outage {
    is_over: Arc<AtomicBool>,
    inner: opbeat_testing::MemoryExporter,
}

/// Returns an agent that only delivers when it is flushed, and whose server is away.
fn in_outage() -> (Agent, Arc<AtomicBool>, opbeat_testing::MemoryExporter) {
    let (is_over, inner) = (Arc::new(AtomicBool::new(false)), opbeat_testing::MemoryExporter::default());
    let exporter = Outage { is_over: Arc::clone(&is_over), inner: inner.clone() };
    let config = Config::default().flush_interval(Duration::from_secs(3_600));
    (Agent::with_exporter(&config, exporter), is_over, inner)
}

impl Exporter for Outage {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        if !self.is_over.load(Ordering::SeqCst) {
            return Err(ExportError::new("the server is away"));
        }
        self.inner.export(batch)
    }
}

#[test]
fn counts_survive_many_flushes_during_an_outage() {
    let (agent, is_over, inner) = in_outage();
    for number in 0..200 {
        agent.begin_transaction("task.test").end(format!("test {}", number % 20), "ok");
        assert!(agent.flush(PATIENCE).is_err());
    }
    is_over.store(true, Ordering::SeqCst);
    agent.flush(PATIENCE).unwrap();
    let counted: usize = inner.durations().iter().map(|group| group.milliseconds.len()).sum();
    assert_eq!((counted, agent.diagnose().drops.transactions), (200, 0));
}

/// An exporter that panics at the first batch.
struct Panics {
    is_first: bool,
    inner: opbeat_testing::MemoryExporter,
}

impl Exporter for Panics {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        assert!(!std::mem::take(&mut self.is_first), "this is the first batch");
        self.inner.export(batch)
    }
}

#[test]
fn the_batch_of_a_panicking_exporter_is_counted_as_dropped() {
    let inner = opbeat_testing::MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), Panics { is_first: true, inner: inner.clone() });
    let deliver = || {
        agent.begin_transaction("task.test").end("test", "ok");
        agent.flush(PATIENCE)
    };
    assert!(matches!(deliver(), Err(FlushError::Rejected(_))));
    deliver().unwrap();
    assert_eq!((inner.count("test"), agent.diagnose().drops.transactions), (1, 1));
}

/// Returns a different text for each number, without digits.
fn text_of(number: u32) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

#[test]
fn a_burst_of_different_messages_is_limited_and_counted() {
    let (agent, exporter) = monitored();
    for number in 0..5_000 {
        agent.capture_message(opbeat_core::Level::Error, text_of(number));
    }
    agent.flush(PATIENCE).unwrap();
    let errors = exporter.errors();
    assert!(errors.len() <= 500, "{}", errors.len());
    let reported: u64 = errors.iter().map(|error| error.occurrences).sum();
    assert_eq!(reported + agent.diagnose().drops.errors, 5_000);
}

#[test]
fn drops_are_reported_once_after_failed_deliveries() {
    let (agent, is_over, inner) = in_outage();
    let transaction = agent.begin_transaction("task.test");
    for _ in 0..600 {
        let _entered = transaction.enter();
        drop(opbeat_core::span("part", "code"));
    }
    transaction.end("test", "ok");
    for _ in 0..20 {
        agent.begin_transaction("task.test").end("test", "ok");
        agent.flush(PATIENCE).unwrap_err();
    }
    is_over.store(true, Ordering::SeqCst);
    agent.flush(PATIENCE).unwrap();
    let drops = agent.diagnose().drops;
    assert_eq!((drops.spans, inner.take().drops), (100, drops));
    agent.flush(PATIENCE).unwrap();
    assert!(inner.take().drops.is_empty());
}
