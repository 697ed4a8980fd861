//! The stacks of repeated queries, and the decisions which other spans are shown with a stack.
//!
//! A capture takes about 14 µs. So transactions share the stack of a repeated query for an hour, and few other spans get
//! one. A span never waits for a lock of these tables.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

use crate::lock::lock;

/// The largest number of repeated queries whose stack is kept.
const MAX_SHARED: usize = 1_000;

/// The time after which the stack of a repeated query is captured again.
const SHARED_FOR: Duration = Duration::from_secs(3_600);

/// The number of bits by which signatures are recognised, in 8 KiB. If two signatures share a bit, only the first of them
/// gets a stack.
const SIGNATURE_BITS: u64 = 1 << 16;

/// The largest number of signatures whose first span gets a stack.
const MAX_SIGNATURES: u32 = 2_000;

/// The largest number of slow spans in a minute that get a stack, each of another signature.
const MAX_SLOW: usize = 10;

const MINUTE: Duration = Duration::from_secs(60);

/// The stacks that spans share, and the limits of captures.
pub(crate) struct Stacks {
    shared: Mutex<HashMap<u64, SharedStack>>,
    signatures: Box<[AtomicU64]>,
    signature_count: AtomicU32,
    slow: Mutex<SlowSpans>,
}

/// A stack that the transactions of a name share, or the fact that the captured one had no call of the application.
struct SharedStack {
    captured: Instant,
    stack: Option<Arc<[usize]>>,
}

/// The signatures of the slow spans of a minute.
struct SlowSpans {
    since: Instant,
    signatures: Vec<u64>,
}

/// The stack that is known of a repeated query.
pub(crate) enum KnownStack {
    Found(Arc<[usize]>),
    Missing,
    /// The thread on which the query ends has no calls of the application.
    Foreign,
    /// Another thread uses the table.
    Busy,
    /// The table has no room for a further query.
    Full,
}

impl Stacks {
    pub(super) fn new() -> Self {
        Self {
            shared: Mutex::default(),
            signatures: (0..SIGNATURE_BITS / 64).map(|_| AtomicU64::new(0)).collect(),
            signature_count: AtomicU32::new(0),
            slow: Mutex::new(SlowSpans { since: Instant::now(), signatures: Vec::new() }),
        }
    }

    /// Notes that a span of this signature has ended. Returns whether it was the first.
    #[inline]
    pub(crate) fn note_signature(&self, signature: u64) -> bool {
        let (index, bit) = ((signature % SIGNATURE_BITS) / 64, 1 << (signature % 64));
        let word = usize::try_from(index).ok().and_then(|index| self.signatures.get(index));
        word.is_some_and(|word| word.load(Ordering::Relaxed) & bit == 0 && self.add_signature(word, bit))
    }

    #[cold]
    fn add_signature(&self, word: &AtomicU64, bit: u64) -> bool {
        let is_first = word.fetch_or(bit, Ordering::Relaxed) & bit == 0;
        is_first && self.signature_count.fetch_add(1, Ordering::Relaxed) < MAX_SIGNATURES
    }

    /// Returns whether a slow span gets a stack: the first of its signature in a minute.
    #[cold]
    pub(crate) fn admits_slow(&self, signature: u64) -> bool {
        let Some(mut slow) = try_lock(&self.slow) else { return false };
        let now = Instant::now();
        if now.saturating_duration_since(slow.since) >= MINUTE {
            slow.since = now;
            slow.signatures.clear();
        }
        let is_admitted = slow.signatures.len() < MAX_SLOW && !slow.signatures.contains(&signature);
        if is_admitted {
            slow.signatures.push(signature);
        }
        is_admitted
    }

    /// Returns the stack of a repeated query.
    pub(crate) fn find(&self, key: u64) -> KnownStack {
        let Some(mut shared) = try_lock(&self.shared) else { return KnownStack::Busy };
        match shared.get(&key).filter(|known| known.is_fresh()).map(|known| known.stack.clone()) {
            Some(Some(stack)) => KnownStack::Found(stack),
            Some(None) => KnownStack::Foreign,
            None if has_room(&mut shared, key) => KnownStack::Missing,
            None => KnownStack::Full,
        }
    }

    /// Captures the stack of a repeated query, unless another thread has done so meanwhile.
    pub(crate) fn capture(&self, key: u64, capture: impl FnOnce() -> Option<Arc<[usize]>>) -> Option<Arc<[usize]>> {
        let mut shared = try_lock(&self.shared)?;
        if let Some(known) = shared.get(&key).filter(|known| known.is_fresh()) {
            return known.stack.clone();
        }
        if !has_room(&mut shared, key) {
            return None;
        }
        let stack = capture()?;
        shared.insert(key, SharedStack { captured: Instant::now(), stack: Some(Arc::clone(&stack)) });
        Some(stack)
    }

    /// Keeps the call site of a repeated query for other transactions.
    pub(crate) fn share(&self, key: u64, stack: Arc<[usize]>) {
        if let Some(mut shared) = try_lock(&self.shared)
            && has_room(&mut shared, key)
        {
            shared.insert(key, SharedStack { captured: Instant::now(), stack: Some(stack) });
        }
    }

    /// Notes that a stack has no call of the application, so that call sites are looked for instead.
    pub(super) fn note_foreign(&self, stack: &Arc<[usize]>) {
        for known in lock(&self.shared).values_mut() {
            if known.stack.as_ref().is_some_and(|known| Arc::ptr_eq(known, stack)) {
                known.stack = None;
            }
        }
    }
}

impl SharedStack {
    fn is_fresh(&self) -> bool {
        self.captured.elapsed() < SHARED_FOR
    }
}

/// Returns whether a stack can be added. Removes old ones if there are too many.
fn has_room(shared: &mut HashMap<u64, SharedStack>, key: u64) -> bool {
    if shared.len() >= MAX_SHARED && !shared.contains_key(&key) {
        shared.retain(|_, known| known.is_fresh());
    }
    shared.len() < MAX_SHARED || shared.contains_key(&key)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(guard)) => Some(guard.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(address: usize) -> Arc<[usize]> {
        Arc::from([address])
    }

    #[test]
    fn a_stack_is_captured_once() {
        let stacks = Stacks::new();
        assert!(matches!(stacks.find(1), KnownStack::Missing));
        assert_eq!(stacks.capture(1, || Some(stack(7))), Some(stack(7)));
        assert_eq!(stacks.capture(1, || panic!("it is known")), Some(stack(7)));
        let KnownStack::Found(found) = stacks.find(1) else { panic!("it is known") };
        stacks.note_foreign(&found);
        assert!(matches!(stacks.find(1), KnownStack::Foreign));
        stacks.share(1, stack(8));
        assert!(matches!(stacks.find(1), KnownStack::Found(found) if found == stack(8)));
    }

    #[test]
    fn the_tables_are_bounded() {
        let stacks = Stacks::new();
        for key in 0..2_000 {
            stacks.share(key, stack(7));
        }
        assert!(matches!((stacks.find(0), stacks.find(1_999)), (KnownStack::Found(_), KnownStack::Full)));
        assert_eq!((0..10_000).filter(|signature| stacks.note_signature(*signature)).count(), 2_000);
        assert_eq!((0..100).filter(|signature| stacks.admits_slow(signature % 50)).count(), 10);
    }
}
