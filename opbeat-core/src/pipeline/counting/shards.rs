//! Counts per thread, so that each transaction is counted on the thread on which it ends.
//!
//! Sending each transaction to another thread takes longer than counting it, and `malloc` is slowest for memory that
//! another thread frees. So each thread counts into its own shard in nearly all cases, and the worker drains the
//! shards once per interval.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use super::clock::Clock;
use super::counts::Counts;
use super::key::Key;
use super::samples::SampleKind;
use crate::clock::Instant;
use crate::lock::lock;
use crate::pipeline::settings::Settings;
use crate::record::TransactionRecord;

/// The largest number of shards, a power of two. More shards would take memory and save little time.
const MAX_SHARDS: usize = 32;

thread_local! {
    /// The number of this thread, which determines its shard.
    static THREAD: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The counts of all threads.
pub(in crate::pipeline) struct Shards {
    shards: Box<[Shard]>,
    is_full: AtomicBool,
    /// Whether no transaction is counted any more.
    is_sealed: AtomicBool,
}

/// The counts of one thread, on cache lines of their own.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    counts: Mutex<Counts>,
    /// The number of transactions that began on the shard's threads. Each may end on another thread.
    begun: AtomicU64,
}

/// The position at which to keep a sample: the shard that counted the transaction, its key there, and the kind of
/// sample.
pub(crate) struct SamplePosition {
    shard: usize,
    key: Key,
    kind: SampleKind,
}

impl Shards {
    pub(in crate::pipeline) fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (0..threads.next_power_of_two().min(MAX_SHARDS)).map(|_| Shard::default()).collect();
        Self { shards, is_full: AtomicBool::new(false), is_sealed: AtomicBool::new(false) }
    }

    /// Notes that a transaction begins on this thread.
    #[inline]
    pub(in crate::pipeline) fn note_begin(&self) {
        self.shards[thread() & (self.shards.len() - 1)].begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of transactions that have begun and not ended.
    pub(in crate::pipeline) fn open(&self) -> u64 {
        let ended: u64 = self.shards.iter().map(|shard| lock(&shard.counts).ended).sum();
        let begun: u64 = self.shards.iter().map(|shard| shard.begun.load(Ordering::Relaxed)).sum();
        begun.saturating_sub(ended)
    }

    /// Counts no transaction from now on: neither its end nor its sample. Returns the number of those that have begun and
    /// not ended; 0 if that was returned before.
    pub(in crate::pipeline) fn seal(&self) -> u64 {
        // A thread that counts holds one lock at most, so that no two wait for each other.
        let all: Vec<_> = self.shards.iter().map(|shard| lock(&shard.counts)).collect();
        if self.is_sealed.swap(true, Ordering::AcqRel) {
            return 0;
        }
        let ended: u64 = all.iter().map(|counts| counts.ended).sum();
        let begun: u64 = self.shards.iter().map(|shard| shard.begun.load(Ordering::Relaxed)).sum();
        begun.saturating_sub(ended)
    }

    #[inline]
    pub(in crate::pipeline) fn is_sealed(&self) -> bool {
        self.is_sealed.load(Ordering::Acquire)
    }

    /// Counts a transaction. Returns a position if the transaction is to be kept as a sample.
    #[inline]
    pub(in crate::pipeline) fn add(
        &self,
        record: &mut TransactionRecord,
        started: Instant,
        settings: &Settings,
    ) -> Option<SamplePosition> {
        let (shard, mut counts) = self.lock_any();
        counts.ended += 1;
        // The lock orders this: what ends after the sealing was open then, and is counted as dropped.
        if self.is_sealed() {
            return None;
        }
        let position = counts.add(record, started, settings);
        if counts.is_full() {
            self.is_full.store(true, Ordering::Relaxed);
            counts.drop_if_abandoned();
        }
        position.map(|(key, kind)| SamplePosition { shard, key, kind })
    }

    /// Keeps a transaction as a sample.
    pub(in crate::pipeline) fn keep(&self, position: &SamplePosition, record: TransactionRecord) {
        lock(&self.shards[position.shard].counts).keep(&position.key, position.kind, record);
    }

    /// Returns whether a shard is full, so that the worker must drain it now.
    #[inline]
    pub(in crate::pipeline) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Moves the counts of all shards into `total`.
    pub(in crate::pipeline) fn drain_into(&self, total: &mut Counts, settings: &Settings) {
        self.is_full.store(false, Ordering::Relaxed);
        let clock = Clock::now();
        for shard in &self.shards {
            lock(&shard.counts).drain_into(total, clock, settings);
        }
    }

    /// Locks this thread's shard, or the next one that no other thread has locked.
    #[inline]
    fn lock_any(&self) -> (usize, MutexGuard<'_, Counts>) {
        let mask = self.shards.len() - 1;
        let own = thread() & mask;
        for index in (own..=own + mask).map(|index| index & mask) {
            match self.shards[index].counts.try_lock() {
                Ok(counts) => return (index, counts),
                Err(TryLockError::Poisoned(counts)) => return (index, counts.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        (own, lock(&self.shards[own].counts))
    }
}

/// Returns the number of the calling thread, the same each time. Threads that are shutting down share number 0.
#[inline]
fn thread() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    let number = |thread: &Cell<usize>| {
        if thread.get() == usize::MAX {
            thread.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        thread.get()
    };
    THREAD.try_with(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::ignoring(&[])
    }

    #[test]
    fn a_sample_that_arrives_after_its_count_was_drained_is_kept() {
        let settings = settings();
        let (shards, mut total) = (Shards::new(), Counts::default());
        let mut record = TransactionRecord::default();
        let position = shards.add(&mut record, Instant::now(), &settings).expect("the first of a name is kept");
        shards.drain_into(&mut total, &settings);
        shards.keep(&position, record);
        shards.drain_into(&mut total, &settings);
        assert_eq!(total.take().2.len(), 1);
    }

    #[test]
    fn undrained_counts_are_limited_and_dropped() {
        let settings = settings();
        let (shards, mut total) = (Shards::new(), Counts::default());
        let mut record = TransactionRecord::default();
        for _ in 0..1_200_000 {
            shards.add(&mut record, Instant::now(), &settings);
        }
        shards.drain_into(&mut total, &settings);
        let dropped = total.take_drops().transactions;
        let counted: usize = total.take().0.iter().map(|group| group.milliseconds.len()).sum();
        assert_eq!((counted as u64, dropped), (200_000, 1_000_000));
    }
}
