//! The loop of the worker.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opbeat_protocol::Timestamp;
use tokio::time::Instant;

use super::record::decode;
use crate::assign::assign_due;
use crate::judge::take_looks;
use crate::notify::{Notifier, notify};
use crate::queue::{Batch, Damage, Record, Source};
use crate::repositories::{Repositories, keep_fetched, read_commits};
use crate::store::{AppSettings, Cause, ParkedMessage, Store, StoreError, StoredRecord};

/// The longest time between two attempts while the database or the disk fails.
const MAX_DELAY: Duration = Duration::from_secs(10);

/// The number of attempts after which an error with an unknown cause is blamed on the data.
const MAX_ATTEMPTS: u32 = 5;

/// The number of failures to read the queue after which [`Worker::store_waiting`] gives up.
const MAX_READS: u32 = 20;
/// The time between two looks for rows of times that are over, which are added up to rows of longer times.
const COMPACTION_INTERVAL: Duration = Duration::from_secs(60);

/// The time between two looks for releases that are to be judged.
const JUDGEMENT_INTERVAL: Duration = Duration::from_secs(20);

/// The time between two looks for errors that are to be assigned.
const ASSIGNMENT_INTERVAL: Duration = Duration::from_secs(1);

/// The time between two removals of old rows.
const CLEANING_INTERVAL: Duration = Duration::from_secs(3_600);

/// The reason for which a dead letter is set aside.
const DEAD: &str = "RabbitMQ delivered it 20 times, and no worker stored it";

/// Stores the records of the queue, until the queue is closed.
pub(crate) struct Worker {
    store: Store,
    source: Source,
    /// The settings of apps that have none of their own.
    defaults: AppSettings,
    /// The repositories by which errors are assigned, unless the worker only stores.
    repositories: Option<Repositories>,
    /// The sender of notifications, unless the worker only stores.
    notifier: Option<Notifier>,
    outage: Outage,
}

/// The changes that a batch of the queue's records contains.
#[derive(Default)]
struct Decoded {
    /// The changes of the bodies in each record.
    records: Vec<StoredRecord>,
    /// The records that cannot be read.
    parked: Vec<ParkedMessage>,
}

impl Worker {
    /// Makes a worker. `defaults` say how long the data of apps without settings of their own is kept.
    pub(crate) fn new(store: Store, source: Source, defaults: AppSettings) -> Self {
        Self { store, source, defaults, repositories: None, notifier: None, outage: Outage::default() }
    }

    /// Lets the worker fetch repositories, and assign errors to authors.
    pub(crate) fn with_repositories(self, repositories: Repositories) -> Self {
        Self { repositories: Some(repositories), ..self }
    }

    /// Lets the worker send notifications about what happened to errors.
    pub(crate) fn with_notifier(self, notifier: Notifier) -> Self {
        Self { notifier: Some(notifier), ..self }
    }

    /// Stores records until `stop` arrives and the batch in hand is stored. Of a queue on the disk of this machine, it
    /// stores all records that are in it by then.
    pub(crate) async fn run(mut self, stop: tokio::sync::oneshot::Receiver<()>) {
        let (store, defaults) = (self.store.clone(), self.defaults.clone());
        let (repositories, notifier) = (self.repositories.take(), self.notifier.take());
        let notifications = async {
            match notifier {
                Some(notifier) => notify(&store, notifier).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.store_all(stop) => {}
            // At the same time, since under a steady load there is always a next batch.
            () = maintain(&store, &defaults) => {}
            () = judge(&store, repositories.clone()) => {}
            () = assign(&store, repositories) => {}
            () = notifications => {}
        }
        self.source.close().await;
    }

    /// Stores the records that are in a queue on the disk of this machine, once, and leaves them in the queue. `stored`
    /// gets the number of records of each batch.
    ///
    /// # Errors
    ///
    /// Returns an error if the database is away, or the queue cannot be read. Records that were stored until then are not stored
    /// again by the next call.
    pub(crate) async fn store_waiting(mut self, mut stored: impl FnMut(u64)) -> Result<(), Box<dyn std::error::Error>> {
        self.source.finish();
        let mut failures = 0;
        loop {
            let batch = match self.source.next().await {
                Ok(Some(batch)) => Arc::new(batch),
                Ok(None) => return Ok(()),
                // After some failures, the parts that the disk cannot read count as damaged.
                Err(_) if failures < MAX_READS => {
                    failures += 1;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            failures = 0;
            self.report_damage(&batch);
            let mut attempt = 1;
            while let Err(error) = self.apply(&batch, attempt).await {
                if error.cause() == Cause::Outage || attempt >= MAX_ATTEMPTS {
                    return Err(error.into());
                }
                attempt += 1;
            }
            stored(batch.records.len() as u64);
        }
    }

    async fn store_all(&mut self, mut stop: tokio::sync::oneshot::Receiver<()>) {
        if self.source.without_position().is_some() {
            tokio::select! {
                () = self.find_position() => {}
                // The records stay in the queue.
                _ = &mut stop => return,
            }
        }
        let mut is_stopping = false;
        loop {
            tokio::select! {
                // In this order, since there may always be a next batch.
                biased;
                _ = &mut stop, if !is_stopping => {
                    is_stopping = true;
                    self.source.finish();
                }
                batch = self.source.next() => match batch {
                    Ok(Some(batch)) => self.store_batch(batch).await,
                    Ok(None) => return,
                    Err(error) => self.pause(&error, "the queue cannot be read; the worker tries again").await,
                },
            }
        }
    }

    /// Waits for the position at which the source starts, if the database was away when the server started.
    async fn find_position(&mut self) {
        while let Some(queue) = self.source.without_position() {
            match self.store.queue_position(queue).await {
                Ok(position) => match self.source.begin(position) {
                    Ok(()) => self.outage.end(),
                    Err(error) => self.pause(&error, "the queue cannot be read; the worker tries again").await,
                },
                Err(error) => {
                    self.pause(&error, "cannot store bodies; they stay in the queue, and the worker tries again").await;
                }
            }
        }
    }

    /// Stores a batch. Returns only after it is stored, however long that takes.
    async fn store_batch(&mut self, batch: Batch) {
        self.report_damage(&batch);
        let batch = Arc::new(batch);
        let mut attempt = 1;
        while let Err(error) = self.apply(&batch, attempt).await {
            self.pause(&error, "cannot store bodies; they stay in the queue, and the worker tries again").await;
            attempt += 1;
        }
        self.outage.end();
        if let Err(error) = self.source.acknowledge(&batch).await {
            let cause = cause_of(&error);
            tracing::warn!(%error, cause, "stored records cannot be removed from the queue; they are removed later");
        }
    }

    fn report_damage(&self, batch: &Batch) {
        if let Some(Damage { reason, .. }) = &batch.damage {
            self.source.count_damage();
            tracing::error!(%reason, "damaged bytes are skipped and parked; the disk may be failing");
        }
    }

    /// Stores all bodies at once. If the database rejects them, stores each by itself, and parks the rejected ones.
    async fn apply(&self, batch: &Arc<Batch>, attempt: u32) -> Result<(), StoreError> {
        let mark = batch.mark;
        let Decoded { records, parked } = decode_all(Arc::clone(batch)).await;
        if attempt == 1 {
            log_parked(parked.iter().map(|message| &message.reason));
        }
        match self.store.apply(records, parked, mark, now()).await {
            Err(error) if error.cause() != Cause::Outage => {
                let Decoded { records, parked } = decode_all(Arc::clone(batch)).await;
                let is_last_attempt = attempt >= MAX_ATTEMPTS;
                let reasons = self.store.apply_each(records, parked, mark, now(), is_last_attempt).await?;
                log_parked(&reasons);
                Ok(())
            }
            result => result,
        }
    }

    async fn pause(&mut self, error: &(dyn std::error::Error + Send + Sync), message: &str) {
        tokio::time::sleep(self.outage.record(error, message)).await;
    }
}

/// Adds rows up and removes old ones, again and again.
async fn maintain(store: &Store, defaults: &AppSettings) {
    let mut ticks = tokio::time::interval(COMPACTION_INTERVAL);
    let mut removed_at: Option<Instant> = None;
    loop {
        ticks.tick().await;
        let compact = store.compact(now()).await.unwrap_or_else(|error| {
            let cause = cause_of(&error);
            tracing::debug!(%error, cause, "rows cannot be added up; it is tried again in a minute");
            BTreeSet::new()
        });
        if removed_at.is_some_and(|at| at.elapsed() < CLEANING_INTERVAL) {
            continue;
        }
        removed_at = Some(Instant::now());
        if let Err(error) = store.remove_old(now(), &compact, defaults).await {
            let cause = cause_of(&error);
            tracing::warn!(%error, cause, "old rows cannot be removed; removal is tried again in an hour");
        }
    }
}

/// Looks at the releases for which a look is due, again and again.
async fn judge(store: &Store, repositories: Option<Repositories>) {
    let mut ticks = tokio::time::interval(JUDGEMENT_INTERVAL);
    loop {
        ticks.tick().await;
        if let Err(error) = take_looks(store, repositories.as_ref(), now()).await {
            let cause = cause_of(&error);
            tracing::debug!(%error, cause, "releases cannot be judged; it is tried again in a minute");
        }
    }
}

/// Fetches repositories and assigns new errors, again and again.
async fn assign(store: &Store, repositories: Option<Repositories>) {
    let Some(repositories) = repositories else { return std::future::pending().await };
    // Threads that read a repository end soon after the worker does.
    let _interrupt = repositories.interrupt();
    let looks = async {
        let mut ticks = tokio::time::interval(ASSIGNMENT_INTERVAL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let round = async {
                // Before errors, whose reasons name the releases of commits.
                read_commits(&repositories, store).await?;
                assign_due(store, &repositories, now()).await
            };
            if let Err(error) = round.await {
                let cause = cause_of(&error);
                tracing::debug!(%error, cause, "errors cannot be assigned; it is tried again in a second");
            }
        }
    };
    tokio::join!(looks, keep_fetched(&repositories, store));
}

/// Decodes records on a blocking thread, since large ones take long.
async fn decode_all(batch: Arc<Batch>) -> Decoded {
    let decoded = tokio::task::spawn_blocking(move || {
        let mut all = Decoded::default();
        let park = |id, reason, bytes: &[u8]| ParkedMessage { id, reason, message: bytes.to_vec() };
        all.parked.extend(batch.damage.as_ref().map(|damage| park(None, damage.reason.clone(), &damage.bytes)));
        all.parked.extend(batch.dead.iter().map(|dead| park(dead.id, DEAD.to_owned(), &dead.bytes)));
        for Record { id, bytes } in &batch.records {
            match decode(bytes) {
                Ok(bodies) => all.records.push(StoredRecord { id: *id, bodies }),
                Err(reason) => all.parked.push(park(*id, reason, bytes)),
            }
        }
        all
    });
    decoded.await.expect("`decode` catches panics")
}

fn log_parked<'a>(reasons: impl IntoIterator<Item = &'a String>) {
    for reason in reasons {
        tracing::error!(%reason, "a body cannot be stored; it is kept in the table parked_messages");
    }
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
    fn record(&mut self, error: &(dyn std::error::Error + Send + Sync), message: &str) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if self.failures == 1 {
            let cause = cause_of(error);
            tracing::error!(%error, cause, "{message}");
        }
        Duration::from_millis(100 * u64::from(self.failures.min(100)).pow(2)).min(MAX_DELAY)
    }

    fn end(&mut self) {
        if self.failures > 0 {
            tracing::info!(attempts = self.failures, "bodies are stored again");
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Position, Queue, QueueId, QueueLimits};

    #[tokio::test]
    async fn old_rows_are_removed_while_batches_wait() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("a.sqlite")).await;
        let (queue, source) = Queue::open(
            &folder.path().join("queue"),
            QueueId::default(),
            QueueLimits::default(),
            Some(Position::default()),
        )
        .unwrap();
        for _ in 0..3 {
            // Larger than half of what is read at once, so that each is a batch.
            queue.append("shop", &vec![0; 9 << 20]).await.unwrap();
        }
        let (stop, stopped) = tokio::sync::oneshot::channel();
        stop.send(()).unwrap();
        Worker::new(store.clone(), source, AppSettings::new()).run(stopped).await;
        assert_eq!(queue.health().backlog(), 0);
        assert!(store.has_removed_old().await);
        store.close().await;
    }
}
