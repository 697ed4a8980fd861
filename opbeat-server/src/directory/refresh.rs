//! The reads of the source, in the background.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::contents::{Contents, Source};
use super::known::Known;
use super::snapshot::Snapshot;
use crate::intake::DirectoryUnavailable;

/// The time between two reads. Removed tokens and changed settings are noticed within this time.
const PERIOD: Duration = Duration::from_secs(2);

/// The time in which one further read is allowed for unknown values, however many of them arrive.
const EXTRA_INTERVAL: Duration = Duration::from_millis(500);

/// The largest number of further reads at once, so that some new values in a row are all noticed at once.
const EXTRA_BURST: u32 = 8;

/// The longest time for which a request waits for a read.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// The time after a read that failed in which no request waits for another one.
const FAILURE_AGE: Duration = Duration::from_secs(1);

/// The known values, and the progress of the reads.
#[derive(Debug)]
pub(super) struct Reads {
    known: RwLock<Arc<Known>>,
    /// The number of reads that were started.
    started: AtomicU64,
    finished: watch::Sender<LastRead>,
}

/// The last read that has ended.
#[derive(Clone, Copy, Debug, Default)]
struct LastRead {
    /// Its number. Numbers start at 1.
    number: u64,
    /// The time at which it failed, if it did.
    failed_at: Option<Instant>,
}

impl LastRead {
    fn failed_recently(self) -> bool {
        self.failed_at.is_some_and(|at| at.elapsed() < FAILURE_AGE)
    }
}

impl Reads {
    /// Returns the known values.
    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns whether the last read failed a moment ago.
    pub(super) fn failed_recently(&self) -> bool {
        self.finished.borrow().failed_recently()
    }

    fn set(&self, contents: Arc<Contents>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Known::new(contents));
    }
}

/// Asks for reads. The reads end after the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Requests(mpsc::Sender<()>);

impl Requests {
    /// Waits for a read that starts after this call. Requests that wait at the same time share it.
    pub(super) async fn next_read(&self, reads: &Reads) -> Result<(), DirectoryUnavailable> {
        if reads.failed_recently() {
            return Err(DirectoryUnavailable);
        }
        let before = reads.started.load(Ordering::SeqCst);
        // The only message that fits means that a read is requested already, and has not started.
        let _ = self.0.try_send(());
        let mut finished = reads.finished.subscribe();
        let next = tokio::time::timeout(MAX_WAIT, finished.wait_for(|last| last.number > before)).await;
        match next {
            Ok(Ok(last)) if last.failed_at.is_none() => Ok(()),
            _ => Err(DirectoryUnavailable),
        }
    }
}

/// Starts the reads, with the values of the snapshot.
pub(super) fn start(source: impl Source, mut snapshot: Snapshot) -> (Arc<Reads>, Requests) {
    let known = Known::new(snapshot.load().unwrap_or_default());
    let reads =
        Reads { known: RwLock::new(Arc::new(known)), started: AtomicU64::new(0), finished: watch::Sender::default() };
    let reads = Arc::new(reads);
    let (sender, requests) = mpsc::channel(1);
    let snapshot = Arc::new(Mutex::new(snapshot));
    let refresh = Refresh { source, snapshot, reads: Arc::clone(&reads), requests, is_failing: false };
    tokio::spawn(refresh.run());
    (reads, Requests(sender))
}

/// The task that reads the source.
struct Refresh<S> {
    source: S,
    snapshot: Arc<Mutex<Snapshot>>,
    reads: Arc<Reads>,
    requests: mpsc::Receiver<()>,
    is_failing: bool,
}

impl<S: Source> Refresh<S> {
    /// Reads again and again, until nobody can ask for a read.
    async fn run(mut self) {
        let mut extra = Extra::default();
        loop {
            // The read that starts now is the one that a waiting request asks for.
            let _ = self.requests.try_recv();
            self.read().await;
            tokio::select! {
                () = tokio::time::sleep(PERIOD) => {}
                request = self.requests.recv() => {
                    if request.is_none() {
                        return;
                    }
                    tokio::time::sleep_until(extra.next(Instant::now())).await;
                }
            }
        }
    }

    async fn read(&mut self) {
        let number = self.reads.started.fetch_add(1, Ordering::SeqCst) + 1;
        let read = self.source.read().await;
        let failed_at = read.is_err().then(Instant::now);
        match read {
            Ok(contents) => {
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("the tokens, origins and settings are read from the database again");
                }
                if *self.reads.known().contents != contents {
                    self.reads.set(Arc::new(contents));
                }
                self.reads.finished.send_replace(LastRead { number, failed_at });
                self.save().await;
            }
            Err(error) => {
                self.reads.finished.send_replace(LastRead { number, failed_at });
                if !std::mem::replace(&mut self.is_failing, true) {
                    let error: &dyn std::error::Error = &*error;
                    tracing::warn!(
                        error,
                        "the tokens, origins and settings cannot be read from the database; known ones still work, and \
                         requests with unknown ones are answered with 503"
                    );
                }
            }
        }
    }

    /// Writes the known values to the snapshot, if it has other ones.
    async fn save(&self) {
        let contents = Arc::clone(&self.reads.known().contents);
        let snapshot = Arc::clone(&self.snapshot);
        let save = move || snapshot.lock().unwrap_or_else(PoisonError::into_inner).save(&contents);
        // An error means that it panicked, which the panic hook has reported. The next read writes it again.
        let _ = tokio::task::spawn_blocking(save).await;
    }
}

/// Limits the further reads to a rate, after a burst.
#[derive(Debug, Default)]
struct Extra {
    /// The time at which all reads so far would have been due, at the rate.
    due: Option<Instant>,
}

impl Extra {
    /// Returns the time from which the next read is allowed.
    fn next(&mut self, now: Instant) -> Instant {
        let due = self.due.map_or(now, |due| due.max(now));
        self.due = Some(due + EXTRA_INTERVAL);
        due.checked_sub(EXTRA_INTERVAL * (EXTRA_BURST - 1)).map_or(now, |at| at.max(now))
    }
}
