//! The loop of the worker.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, SystemTime};

use opbeat_protocol::Timestamp;

use super::legacy;
use crate::changes::{self, BodyChanges};
use crate::queue::{Position, Queue, Reader, RecordBatch};
use crate::store::{ParkedMessage, Store, StoreError};

/// The longest time between two attempts while the database or the disk fails.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// The time between two removals of old rows.
const CLEANING_INTERVAL: Duration = Duration::from_secs(3_600);

/// Stores the records of the queue, until the queue is closed.
pub(crate) struct Worker {
    store: Store,
    queue: Queue,
    reader: Reader,
    outage: Outage,
}

/// A batch of the queue's records, with the changes of the store that they cause.
#[derive(Default)]
struct Decoded {
    /// Each valid body's record, and its changes.
    bodies: Vec<(Vec<u8>, BodyChanges)>,
    /// The records of invalid bodies.
    parked: Vec<ParkedMessage>,
}

impl Worker {
    pub(crate) fn new(store: Store, queue: Queue, reader: Reader) -> Self {
        Self { store, queue, reader, outage: Outage::default() }
    }

    /// Stores records until `stop` arrives and all records that are in the queue by then are stored.
    pub(crate) async fn run(mut self, mut stop: tokio::sync::oneshot::Receiver<()>) {
        let mut cleaning = tokio::time::interval(CLEANING_INTERVAL);
        loop {
            tokio::select! {
                // In this order, so that waiting records are stored before `stop` is noticed.
                biased;
                batch = self.reader.next() => match batch {
                    Ok(Some(batch)) => self.store_batch(batch).await,
                    Ok(None) => return,
                    Err(error) => self.pause(&error).await,
                },
                _ = &mut stop => return,
                _ = cleaning.tick() => self.clean().await,
            }
        }
    }

    /// Stores a batch. Returns only after it is stored, however long that takes.
    async fn store_batch(&mut self, batch: RecordBatch) {
        if let Some(damage) = &batch.damage {
            self.queue.count_damage();
            tracing::error!(%damage, "the queue is damaged; the disk may be failing");
        }
        let next = batch.next;
        let decoded = decode_all(batch.records).await;
        loop {
            match self.apply(&decoded, next).await {
                Ok(()) => break,
                Err(error) => self.pause(&error).await,
            }
        }
        self.outage.end();
        if let Err(error) = self.queue.release(next) {
            tracing::warn!(%error, "stored segments cannot be removed; removal is tried again after the next batch");
        }
    }

    /// Stores all bodies at once. If the database rejects one of them, finds it, and stores the others.
    async fn apply(&self, decoded: &Decoded, next: Position) -> Result<(), StoreError> {
        let bodies: Vec<BodyChanges> = decoded.bodies.iter().map(|(_, body)| body.clone()).collect();
        let applied = self.store.apply(&bodies, &decoded.parked, next, now()).await;
        match applied {
            Err(error) if error.is_permanent() => self.apply_valid(decoded, next).await,
            result => result,
        }
    }

    /// Tries each body in a transaction that is rolled back, to find those that the database rejects. Parks them, and
    /// stores the others and the cursor at once.
    async fn apply_valid(&self, decoded: &Decoded, next: Position) -> Result<(), StoreError> {
        let mut valid = Vec::new();
        let mut parked = decoded.parked.clone();
        for (record, body) in &decoded.bodies {
            match self.store.try_apply(body).await {
                Ok(()) => valid.push(body.clone()),
                Err(error) if error.is_permanent() => parked.push(park(record.clone(), &error)),
                Err(error) => return Err(error),
            }
        }
        self.store.apply(&valid, &parked, next, now()).await
    }

    async fn clean(&self) {
        if let Err(error) = self.store.remove_old(now()).await {
            let cause = cause_of(&error);
            tracing::warn!(%error, cause, "old rows cannot be removed; removal is tried again in an hour");
        }
    }

    async fn pause(&mut self, error: &(dyn std::error::Error + Send + Sync)) {
        tokio::time::sleep(self.outage.record(error)).await;
    }
}

/// Decodes records on a blocking thread, since large ones take long.
async fn decode_all(records: Vec<Vec<u8>>) -> Decoded {
    let decoded = tokio::task::spawn_blocking(move || {
        let mut all = Decoded::default();
        for record in records {
            match decode(&record) {
                Ok(bodies) => all.bodies.extend(bodies.into_iter().map(|body| (record.clone(), body))),
                Err(reason) => all.parked.push(park(record, &io::Error::other(reason))),
            }
        }
        all
    });
    decoded.await.expect("`decode` catches panics")
}

/// Returns the changes that a record contains, or the reason why they cannot be read.
///
/// A panic is caught and returned too, so that one record cannot stop all others.
fn decode(record: &[u8]) -> Result<Vec<BodyChanges>, String> {
    let decode = || match record.first() {
        Some(b'{') => legacy::changes(record).map(|body| vec![body]),
        _ => changes::decode(record).map_err(|error| error.to_string()),
    };
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err("the worker panicked while it read the record".to_owned()))
}

/// Returns a message to set aside, and logs why it cannot be stored.
fn park(message: Vec<u8>, reason: &dyn std::error::Error) -> ParkedMessage {
    let reason = std::iter::successors(Some(reason), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ");
    tracing::error!(%reason, bytes = message.len(), "a body cannot be stored; it is kept in the table parked_messages");
    ParkedMessage { reason, message }
}

fn now() -> i64 {
    Timestamp::from(SystemTime::now()).micros()
}

fn cause_of(error: &(dyn std::error::Error + Send + Sync)) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// A series of failures, logged once at its start and once at its end.
#[derive(Debug, Default)]
struct Outage {
    failures: u32,
}

impl Outage {
    /// Counts a failure. Returns the time until the next attempt, which grows with the number of failures.
    fn record(&mut self, error: &(dyn std::error::Error + Send + Sync)) -> Duration {
        self.failures += 1;
        if self.failures == 1 {
            let cause = cause_of(error);
            tracing::error!(%error, cause, "cannot store bodies; they stay in the queue, and the worker tries again");
        }
        Duration::from_millis(100 * u64::from(self.failures).pow(2)).min(MAX_DELAY)
    }

    fn end(&mut self) {
        if self.failures > 0 {
            tracing::info!(attempts = self.failures, "bodies are stored again");
            self.failures = 0;
        }
    }
}
