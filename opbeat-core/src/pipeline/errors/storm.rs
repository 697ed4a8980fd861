//! Few reports of many alike errors, and exact totals all the same.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::{PendingError, fingerprint};

/// Alike errors that are sent each by itself in a window; of the rest, one an interval stands for all.
const SENT_EACH: u64 = 10;

const WINDOW: Duration = Duration::from_secs(60);

/// Different errors that are remembered. Beyond, each is sent by itself, as far as a batch has room.
const MAX_KNOWN: usize = 1_000;

/// Decides which errors are sent, and keeps one of those that are not to stand for them.
#[derive(Default)]
pub(in super::super) struct Storm {
    known: HashMap<u64, Bucket, RandomState>,
}

struct Bucket {
    window: Instant,
    sent: u64,
    held: Option<Box<PendingError>>,
    held_back: u64,
}

impl Storm {
    /// Returns the error if it is to be sent by itself. Otherwise it is held, to stand for all that are alike.
    pub(in super::super) fn admit(&mut self, error: PendingError, now: Instant) -> Option<PendingError> {
        let fingerprint = fingerprint::of(&error);
        match self.bucket(fingerprint, now) {
            Some(bucket) => bucket.admit(error, now),
            None => Some(error),
        }
    }

    /// Adds errors that were counted elsewhere, and keeps those that stand for them. Returns how many were too different.
    pub(in super::super) fn add(&mut self, repeats: Repeats, now: Instant) -> u64 {
        let mut uncounted = repeats.uncounted;
        for (fingerprint, (error, count)) in repeats.counted {
            match self.bucket(fingerprint, now) {
                Some(bucket) => bucket.hold(error, count),
                None => uncounted += count,
            }
        }
        uncounted
    }

    /// Takes out the errors that stand for others, each with how many it stands for.
    pub(in super::super) fn take_held(&mut self) -> Vec<PendingError> {
        self.known.values_mut().filter_map(Bucket::take_held).map(|error| *error).collect()
    }

    /// Returns where errors of one kind are counted, if there is room for it.
    fn bucket(&mut self, fingerprint: u64, now: Instant) -> Option<&mut Bucket> {
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&fingerprint) {
            self.forget(now);
            if self.known.len() >= MAX_KNOWN {
                return None;
            }
        }
        Some(self.known.entry(fingerprint).or_insert_with(|| Bucket::new(now)))
    }

    fn forget(&mut self, now: Instant) {
        self.known.retain(|_, bucket| bucket.held.is_some() || now < bucket.window + WINDOW);
    }
}

impl Bucket {
    fn new(now: Instant) -> Self {
        Self { window: now, sent: 0, held: None, held_back: 0 }
    }

    fn admit(&mut self, error: PendingError, now: Instant) -> Option<PendingError> {
        if now >= self.window + WINDOW {
            (self.window, self.sent) = (now, 0);
        }
        if self.sent < SENT_EACH {
            self.sent += 1;
            return Some(error);
        }
        let count = error.record.occurrences;
        self.hold(Box::new(error), count);
        None
    }

    fn hold(&mut self, error: Box<PendingError>, count: u64) {
        self.held_back += count;
        self.held = Some(error);
    }

    fn take_held(&mut self) -> Option<Box<PendingError>> {
        let mut error = self.held.take()?;
        error.record.occurrences = std::mem::take(&mut self.held_back);
        Some(error)
    }
}

/// Errors that were only counted, since their queue was full: one of each kind, and how many.
#[derive(Default)]
pub(in super::super) struct Repeats {
    counted: HashMap<u64, (Box<PendingError>, u64), RandomState>,
    uncounted: u64,
}

impl Repeats {
    pub(in super::super) fn add(&mut self, error: Box<PendingError>) {
        let fingerprint = fingerprint::of(&error);
        if let Some((_, count)) = self.counted.get_mut(&fingerprint) {
            *count += error.record.occurrences;
        } else if self.counted.len() < MAX_KNOWN {
            let count = error.record.occurrences;
            self.counted.insert(fingerprint, (error, count));
        } else {
            self.uncounted += error.record.occurrences;
        }
    }
}
