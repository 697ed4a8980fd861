//! Several exporters of one agent: one that fails or hangs neither delays nor loses the data of the others.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use opbeat_core::export::{Batch, ExportError, Exporter, FlushError};
use opbeat_core::{Agent, Config};
use opbeat_testing::MemoryExporter;

use crate::PATIENCE;

/// Fails always.
struct Dead;

impl Exporter for Dead {
    fn export(&mut self, _: &mut Batch) -> Result<(), ExportError> {
        Err(ExportError::new("the dead one is away"))
    }
}

/// Reports each attempt, and waits in it until it gets a message.
struct Hanging {
    attempts: Sender<usize>,
    end: Receiver<()>,
    kept: MemoryExporter,
}

impl Exporter for Hanging {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        self.attempts.send(batch.transactions()).unwrap();
        self.end.recv().unwrap();
        self.kept.export(batch)
    }
}

fn record(agent: &Agent, count: usize) {
    for _ in 0..count {
        agent.begin_transaction("task.test").end("test", "ok");
    }
}

#[test]
fn a_dead_exporter_loses_no_data_of_the_other() {
    for is_first in [true, false] {
        let alive = MemoryExporter::default();
        let mut exporters: Vec<Box<dyn Exporter>> = vec![Box::new(alive.clone())];
        exporters.insert(usize::from(!is_first), Box::new(Dead));
        let agent = Agent::with_exporters(&Config::default(), exporters);
        for round in 1..=3 {
            record(&agent, 10);
            let flushed = agent.flush(PATIENCE);
            assert_eq!(flushed, Err(FlushError::Undelivered("the dead one is away".to_owned())));
            assert_eq!(alive.count("test"), 10 * round, "the flush waits for the other exporter too");
        }
        assert!(agent.diagnose().drops.is_empty(), "the data for the dead exporter is kept");
        let _ = agent.shutdown(PATIENCE);
        assert_eq!(agent.diagnose().drops.transactions, 30, "drops count once, although one exporter got the data");
    }
}

#[test]
fn a_hanging_exporter_delays_no_data_of_the_other() {
    let ((attempts, attempted), (ends, end)) = (mpsc::channel(), mpsc::channel());
    let (alive, kept) = (MemoryExporter::default(), MemoryExporter::default());
    let hanging = Hanging { attempts, end, kept: kept.clone() };
    let agent = Agent::with_exporters(&Config::default(), vec![Box::new(hanging), Box::new(alive.clone())]);
    record(&agent, 10);
    let timeout = Duration::from_millis(50);
    assert_eq!(agent.flush(timeout), Err(FlushError::Deadline(timeout)));
    assert_eq!(attempted.recv_timeout(PATIENCE).unwrap(), 10);
    // The other exporter goes on while the first one hangs in its attempt.
    record(&agent, 10);
    let _ = agent.flush(timeout);
    let deadline = Instant::now() + PATIENCE;
    while alive.count("test") < 20 {
        assert!(Instant::now() < deadline, "{} transactions arrived", alive.count("test"));
        std::thread::yield_now();
    }
    assert_eq!(kept.count("test"), 0);
    ends.send(()).unwrap();
    ends.send(()).unwrap();
    agent.flush(PATIENCE).unwrap();
    assert_eq!((kept.count("test"), alive.count("test")), (20, 20));
    assert!(agent.diagnose().drops.is_empty());
}
