use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::time::Instant;

use opbeat_core::{Agent, Batch, Config, ExportError, Exporter};

use crate::{PATIENCE, monitored};

#[test]
fn counts_are_exact_however_many_threads_push() {
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

/// An exporter that stops until it is let go.
struct Stuck {
    entered: mpsc::Sender<()>,
    go: mpsc::Receiver<()>,
    inner: opbeat_core::testing::MemoryExporter,
}

impl Exporter for Stuck {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        self.entered.send(()).unwrap();
        self.go.recv().unwrap();
        self.inner.export(batch)
    }
}

#[test]
fn a_stuck_exporter_holds_up_nobody() {
    let (entered, is_stuck) = mpsc::channel();
    let (release, go) = mpsc::channel();
    let inner = opbeat_core::testing::MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), Stuck { entered, go, inner: inner.clone() });

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
fn a_storm_of_errors_is_bounded_and_counted() {
    let (agent, exporter) = monitored();
    for _ in 0..5_000 {
        agent.capture_error(&std::fmt::Error);
    }
    agent.flush(PATIENCE).unwrap();
    assert!(exporter.errors().len() <= 500, "{}", exporter.errors().len());
    assert!(!exporter.errors().is_empty());
}

/// An exporter that nobody answers.
struct Dead {
    seen: mpsc::Sender<(usize, usize)>,
}

impl Exporter for Dead {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        // The test may have seen enough.
        let _ = self.seen.send((batch.samples.len(), batch.errors.len()));
        Err(ExportError::new("nobody answers"))
    }
}

#[test]
fn memory_stays_bounded_while_nobody_answers() {
    let (seen, _batches) = mpsc::channel();
    let agent = Agent::with_exporter(&Config::default(), Dead { seen });
    for _ in 0..20 {
        for number in 0..200 {
            agent.begin_transaction("task.test").end(format!("test {number}"), "failed");
            agent.capture_error(&std::fmt::Error);
        }
        // Each flush makes a batch that has to wait.
        assert!(agent.flush(PATIENCE).is_err());
    }
    assert!(agent.shutdown(PATIENCE).is_err(), "what is left is lost, and that is said");
}

/// An exporter that fails until it is let go.
struct Away {
    is_back: Arc<AtomicBool>,
    inner: opbeat_core::testing::MemoryExporter,
}

impl Exporter for Away {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        if self.is_back.load(Ordering::SeqCst) {
            return self.inner.export(batch);
        }
        Err(ExportError::new("nobody answers"))
    }
}

#[test]
fn what_is_left_out_is_counted_once_however_long_the_server_is_away() {
    let (is_back, inner) = (Arc::new(AtomicBool::new(false)), opbeat_core::testing::MemoryExporter::default());
    let agent = Agent::with_exporter(&Config::default(), Away { is_back: Arc::clone(&is_back), inner: inner.clone() });
    let transaction = agent.begin_transaction("task.test");
    for _ in 0..600 {
        let _entered = transaction.enter();
        drop(opbeat_core::span("part", "code"));
    }
    transaction.end("test", "ok");
    // Flushes make batches until the oldest have to go: those with the news of what was left out too.
    let deadline = Instant::now() + PATIENCE;
    while agent.diagnose().drops.transactions < 20 {
        assert!(Instant::now() < deadline, "no batch is lost");
        for _ in 0..100 {
            agent.begin_transaction("task.test").end("test", "ok");
            agent.flush(PATIENCE).unwrap_err();
        }
    }
    is_back.store(true, Ordering::SeqCst);
    agent.flush(PATIENCE).unwrap();
    // What was lost on the way is told by the next batch.
    agent.flush(PATIENCE).unwrap();
    let drops = agent.diagnose().drops;
    assert_eq!((drops.spans, inner.take().drops), (100, drops));
    agent.flush(PATIENCE).unwrap();
    assert!(inner.take().drops.is_empty());
}
