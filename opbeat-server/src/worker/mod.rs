//! The worker: reads the queue in order, and stores what bodies mean.
//!
//! ```text
//! queue ─► interpret (pure: scrub, group, roll up) ─► Store::apply, with the cursor ─► release the queue
//!              │ cannot be read                          │ the database is away: again, later
//!              ▼                                         │ one body is refused: one by one
//!           parked                                       ▼
//! ```

mod body;
mod errors;
mod interpret;
mod scrub;
mod time;
mod traces;
mod transactions;

use std::io;
use std::time::{Duration, SystemTime};

use opbeat_protocol::Timestamp;

pub use interpret::interpret;

use crate::queue::{Position, Queue, Read, Reader};
use crate::store::{BodyChanges, ParkedMessage, Store, StoreError};

/// The time between two attempts while the database or the disk is away.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// How often old rows are removed.
const CLEANING: Duration = Duration::from_secs(3_600);

/// Stores what the queue holds, until the queue is closed.
pub(crate) struct Worker {
    store: Store,
    queue: Queue,
    reader: Reader,
    outage: Outage,
}

/// What a read from the queue turned into.
#[derive(Default)]
struct Interpreted {
    /// Each body's record, and what it changes.
    bodies: Vec<(Vec<u8>, BodyChanges)>,
    parked: Vec<ParkedMessage>,
}

impl Worker {
    pub(crate) fn new(store: Store, queue: Queue, reader: Reader) -> Self {
        Self { store, queue, reader, outage: Outage::default() }
    }

    /// Works until `stop` is there, and then to the queue's end as far as it is by then.
    pub(crate) async fn run(mut self, mut stop: tokio::sync::oneshot::Receiver<()>) {
        let mut cleaning = tokio::time::interval(CLEANING);
        loop {
            tokio::select! {
                biased;
                read = self.reader.next() => match read {
                    Ok(Some(read)) => self.store_read(read).await,
                    Ok(None) => return,
                    Err(error) => self.pause(&error).await,
                },
                _ = &mut stop => return,
                _ = cleaning.tick() => self.clean().await,
            }
        }
    }

    /// Stores what was read. Returns when it is stored, however long that takes.
    async fn store_read(&mut self, read: Read) {
        if let Some(damage) = &read.damage {
            tracing::error!(%damage, "the queue is damaged; the disk may be failing");
        }
        let next = read.next;
        let interpreted = interpret_all(read.records).await;
        loop {
            match self.apply(&interpreted, next).await {
                Ok(()) => break,
                Err(error) => self.pause(&error).await,
            }
        }
        self.outage.end();
        if let Err(error) = self.queue.release(next) {
            tracing::warn!(%error, "the queue's old segments cannot be removed");
        }
    }

    /// Stores all bodies at once; if the database refuses one of them, one after the other.
    async fn apply(&self, interpreted: &Interpreted, next: Position) -> Result<(), StoreError> {
        let bodies: Vec<BodyChanges> = interpreted.bodies.iter().map(|(_, body)| body.clone()).collect();
        let all = self.store.apply(&bodies, &interpreted.parked, next, now()).await;
        match all {
            Err(error) if error.is_permanent() => self.apply_singly(interpreted, next).await,
            answer => answer,
        }
    }

    /// Finds the bodies that the database refuses by trying each without a trace, then stores the others with the
    /// cursor, all at once.
    async fn apply_singly(&self, interpreted: &Interpreted, next: Position) -> Result<(), StoreError> {
        let mut good = Vec::new();
        let mut parked = interpreted.parked.clone();
        for (record, body) in &interpreted.bodies {
            match self.store.try_apply(body).await {
                Ok(()) => good.push(body.clone()),
                Err(error) if error.is_permanent() => parked.push(park(record.clone(), &error)),
                Err(error) => return Err(error),
            }
        }
        self.store.apply(&good, &parked, next, now()).await
    }

    async fn clean(&self) {
        if let Err(error) = self.store.remove_old(now()).await {
            tracing::warn!(%error, "old rows could not be removed; it is tried again in an hour");
        }
    }

    async fn pause(&mut self, error: &(dyn std::error::Error + Send + Sync)) {
        tokio::time::sleep(self.outage.note(error)).await;
    }
}

/// Interprets records on a thread that may compute for long.
async fn interpret_all(records: Vec<Vec<u8>>) -> Interpreted {
    let interpreted = tokio::task::spawn_blocking(move || {
        let mut all = Interpreted::default();
        for record in records {
            match interpret(&record) {
                Ok(body) => all.bodies.push((record, body)),
                Err(reason) => all.parked.push(park(record, &io::Error::other(reason))),
            }
        }
        all
    });
    interpreted.await.expect("a panic in a body's interpretation is caught there")
}

fn park(message: Vec<u8>, reason: &dyn std::error::Error) -> ParkedMessage {
    let reason = std::iter::successors(Some(reason), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    tracing::error!(%reason, bytes = message.len(), "a body cannot be stored and is parked");
    ParkedMessage { reason, message }
}

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).micros()
}

/// A run of failures: told once, at its start and at its end.
#[derive(Debug, Default)]
struct Outage {
    failures: u32,
}

impl Outage {
    fn note(&mut self, error: &(dyn std::error::Error + Send + Sync)) -> Duration {
        self.failures += 1;
        if self.failures == 1 {
            let cause = error.source().map(ToString::to_string).unwrap_or_default();
            tracing::error!(%error, cause, "storing fails and is tried again; what is accepted waits in the queue");
        }
        Duration::from_millis(100 * u64::from(self.failures).pow(2)).min(MAX_DELAY)
    }

    fn end(&mut self) {
        if self.failures > 0 {
            tracing::info!(attempts = self.failures, "storing works again");
            self.failures = 0;
        }
    }
}
