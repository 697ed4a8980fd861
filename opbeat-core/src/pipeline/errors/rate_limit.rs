//! The rate limit of similar errors: few reports, and exact totals.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;

use super::{PendingError, fingerprint};

/// The number of similar errors in a window that are sent each by itself. The others are suppressed: one of them is
/// sent per interval, with their number.
const SENT_EACH: u64 = 10;

const WINDOW: Duration = Duration::from_secs(60);

/// The largest number of different errors that are remembered. Further errors are sent each by itself, if the batch has
/// room.
const MAX_KNOWN: usize = 1_000;

/// Decides which errors are sent, and counts the suppressed ones.
#[derive(Default)]
pub(in crate::pipeline) struct RateLimit {
    known: HashMap<u64, SimilarErrors, RandomState>,
}

struct SimilarErrors {
    window_start: Instant,
    sent: u64,
    /// The last suppressed error. It is sent to represent all of them.
    representative: Option<Box<PendingError>>,
    suppressed: u64,
}

impl RateLimit {
    /// Returns the error if it is to be sent by itself; otherwise suppresses it.
    pub(in crate::pipeline) fn admit(&mut self, error: PendingError, now: Instant) -> Option<PendingError> {
        let fingerprint = fingerprint::of(&error);
        match self.similar(fingerprint, now) {
            Some(similar) => similar.admit(error, now),
            None => Some(error),
        }
    }

    /// Adds the errors that did not fit into the queue as suppressed ones. Returns the number of errors that it has no
    /// room for, because they are too different.
    pub(in crate::pipeline) fn add_overflow(&mut self, overflow: ErrorOverflow, now: Instant) -> u64 {
        let mut uncounted = overflow.uncounted;
        for (fingerprint, (error, count)) in overflow.counted {
            match self.similar(fingerprint, now) {
                Some(similar) => similar.suppress(error, count),
                None => uncounted += count,
            }
        }
        uncounted
    }

    /// Takes out one error for each group of suppressed ones, with their number.
    pub(in crate::pipeline) fn take_representatives(&mut self) -> Vec<PendingError> {
        self.known.values_mut().filter_map(SimilarErrors::take_representative).map(|error| *error).collect()
    }

    /// Returns the errors with this fingerprint; `None` if there is no room for another one.
    fn similar(&mut self, fingerprint: u64, now: Instant) -> Option<&mut SimilarErrors> {
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&fingerprint) {
            self.known.retain(|_, similar| similar.representative.is_some() || now < similar.window_start + WINDOW);
            if self.known.len() >= MAX_KNOWN {
                return None;
            }
        }
        Some(self.known.entry(fingerprint).or_insert_with(|| SimilarErrors::new(now)))
    }
}

impl SimilarErrors {
    fn new(now: Instant) -> Self {
        Self { window_start: now, sent: 0, representative: None, suppressed: 0 }
    }

    fn admit(&mut self, error: PendingError, now: Instant) -> Option<PendingError> {
        if now >= self.window_start + WINDOW {
            (self.window_start, self.sent) = (now, 0);
        }
        if self.sent < SENT_EACH {
            self.sent += 1;
            return Some(error);
        }
        let count = error.record.occurrences;
        self.suppress(Box::new(error), count);
        None
    }

    fn suppress(&mut self, error: Box<PendingError>, count: u64) {
        self.suppressed += count;
        self.representative = Some(error);
    }

    fn take_representative(&mut self) -> Option<Box<PendingError>> {
        let mut error = self.representative.take()?;
        error.record.occurrences = std::mem::take(&mut self.suppressed);
        Some(error)
    }
}

/// Errors that were only counted because their queue was full: one of each group of similar errors, and their number.
#[derive(Default)]
pub(in crate::pipeline) struct ErrorOverflow {
    counted: HashMap<u64, (Box<PendingError>, u64), RandomState>,
    uncounted: u64,
}

impl ErrorOverflow {
    pub(in crate::pipeline) fn add(&mut self, error: Box<PendingError>) {
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
