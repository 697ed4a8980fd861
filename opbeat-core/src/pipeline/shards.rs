//! Where finished transactions are counted: on the thread that they end on.
//!
//! Handing each transaction to another thread costs more than counting it, and memory that is freed elsewhere than it
//! was taken is the dearest part of malloc. So each thread counts into a shard that is its own nearly always, and the
//! worker empties the shards once an interval.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Instant;

use super::counts::{Counts, Place};
use super::{Clock, Settings};
use crate::record::TransactionRecord;

/// More shards than this use more memory than they save time. Their number is a power of two.
const MAX_SHARDS: usize = 32;

thread_local! {
    /// The number of this thread, from which its shard follows.
    static THREAD: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The counts of all threads.
pub(super) struct Shards {
    shards: Box<[Shard]>,
    is_full: AtomicBool,
}

/// One thread's counts, alone on its cache lines.
#[derive(Default)]
#[repr(align(128))]
struct Shard {
    counts: Mutex<Counts>,
}

/// Where a transaction is to be kept as a sample.
pub(crate) struct Seat {
    shard: usize,
    place: Place,
}

impl Shards {
    pub(super) fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = (0..threads.next_power_of_two().min(MAX_SHARDS)).map(|_| Shard::default()).collect();
        Self { shards, is_full: AtomicBool::new(false) }
    }

    /// Counts a transaction. Returns its seat if it is to be kept whole.
    #[inline]
    pub(super) fn add(&self, record: &mut TransactionRecord, started: Instant, settings: &Settings) -> Option<Seat> {
        let (shard, mut counts) = self.lock_any();
        let place = counts.add(record, started, settings);
        if counts.is_full() {
            self.is_full.store(true, Ordering::Relaxed);
            counts.give_up_if_left();
        }
        place.map(|place| Seat { shard, place })
    }

    /// Keeps a transaction as a sample.
    pub(super) fn keep(&self, seat: &Seat, record: TransactionRecord) {
        lock(&self.shards[seat.shard].counts).keep(&seat.place, record);
    }

    /// Returns whether some thread has counted so much that it is to be taken over now.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.is_full.load(Ordering::Relaxed)
    }

    /// Moves what all threads have counted.
    pub(super) fn drain_into(&self, total: &mut Counts, settings: &Settings) {
        self.is_full.store(false, Ordering::Relaxed);
        let clock = Clock::now();
        for shard in &self.shards {
            lock(&shard.counts).drain_into(total, clock, settings);
        }
    }

    /// Locks this thread's shard, or the next one that nobody holds.
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of the calling thread, the same each time. Threads that are about to end share one.
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
    use std::time::Duration;

    use super::*;
    use crate::pipeline::Ignore;
    use opbeat_secrets::Secrets;

    fn settings() -> Settings {
        let (flush_interval, blocking_threshold) = (Duration::from_secs(5), u64::MAX);
        let (ignore, secrets) = (Ignore::new(&[], &[]), Secrets::new::<&str>([]));
        Settings { flush_interval, blocking_threshold, ignore, secrets }
    }

    #[test]
    fn a_sample_is_moved_though_its_count_was_moved_before() {
        let settings = settings();
        let (shards, mut total) = (Shards::new(), Counts::default());
        let mut record = TransactionRecord::default();
        let seat = shards.add(&mut record, Instant::now(), &settings).expect("the first of its name is kept");
        shards.drain_into(&mut total, &settings);
        shards.keep(&seat, record);
        shards.drain_into(&mut total, &settings);
        assert_eq!(total.take().2.len(), 1);
    }

    #[test]
    fn what_nobody_takes_over_is_bounded_and_counted() {
        let settings = settings();
        let (shards, mut total) = (Shards::new(), Counts::default());
        let mut record = TransactionRecord::default();
        for _ in 0..1_200_000 {
            shards.add(&mut record, Instant::now(), &settings);
        }
        shards.drain_into(&mut total, &settings);
        let lost = total.take_drops().transactions;
        let counted: usize = total.take().0.iter().map(|group| group.milliseconds.len()).sum();
        assert_eq!((counted as u64, lost), (200_000, 1_000_000));
    }
}
