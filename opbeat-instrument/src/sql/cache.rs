//! Statements that were read before.
//!
//! Each thread has a small cache by the text of statements, so that threads do not contend. Applications that write
//! values into their statements fill it with texts that do not return, which only evicts others. The parts that remain of
//! statements are kept once for the life of the process, up to a limit, because records refer to them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::FixedState;

use super::parts::{Kept, Parts};

/// The number of sets of slots in each thread's cache, a power of two.
const SETS: usize = 32;

/// The number of slots in a set. Statements with the same set evict each other only if there are more of them.
const WAYS: usize = 4;

/// Longer statements are read each time.
const MAX_CACHED: usize = 2 * 1024;

/// The largest number of different statements that are kept for the life of the process.
const MAX_KEPT: usize = 2_000;

/// The largest sum of their lengths in bytes.
const MAX_KEPT_BYTES: usize = 1024 * 1024;

struct All {
    parts: HashSet<&'static Parts, FixedState>,
    bytes: usize,
}

static ALL: RwLock<All> = RwLock::new(All { parts: HashSet::with_hasher(HASHER), bytes: 0 });

/// Statements are the application's own, so their hashes need no protection from collisions.
const HASHER: FixedState = FixedState::with_seed(0);

/// A statement's text, and its parts.
type Slot = Option<(Box<str>, Kept)>;

thread_local! {
    static RECENT: RefCell<[[Slot; WAYS]; SETS]> = const { RefCell::new([const { [const { None }; WAYS] }; SETS]) };
}

fn with_set<T>(sql: &str, with: impl FnOnce(&mut [Slot; WAYS]) -> Option<T>) -> Option<T> {
    if sql.len() > MAX_CACHED {
        return None;
    }
    let set = HASHER.hash_one(sql) as usize % SETS;
    RECENT.try_with(|recent| with(&mut recent.try_borrow_mut().ok()?[set])).ok().flatten()
}

pub(super) fn find(sql: &str) -> Option<Kept> {
    with_set(sql, |set| set.iter().flatten().find(|(text, _)| **text == *sql).map(|(_, kept)| kept.clone()))
}

#[cold]
pub(super) fn add(sql: &str, parts: Parts) -> Kept {
    let kept = keep(parts);
    with_set(sql, |set| {
        // The newest is first, and the oldest is evicted.
        set.rotate_right(1);
        set[0] = Some((sql.into(), kept.clone()));
        Some(())
    });
    kept
}

/// Keeps the parts of a statement, or shares them if the limit is reached.
fn keep(parts: Parts) -> Kept {
    {
        let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.parts.get(&parts) {
            return Kept::Always(known);
        }
        if all.is_full() {
            return Kept::Shared(Arc::new(parts));
        }
    }
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = all.parts.get(&parts) {
        return Kept::Always(known);
    }
    let parts: &'static Parts = Box::leak(Box::new(parts));
    all.bytes += parts.signature.len() + parts.text.len();
    all.parts.insert(parts);
    Kept::Always(parts)
}

impl All {
    fn is_full(&self) -> bool {
        self.parts.len() >= MAX_KEPT || self.bytes >= MAX_KEPT_BYTES
    }
}
