//! One report for one failure, even if it was logged, returned and captured.

use super::PendingError;
use crate::record::{ErrorRecord, Level, Origin, Stack};

/// Merges the reports of the same failure in the same transaction. Repetitions of a failure are counted.
///
/// The most detailed report stays, under an id that the application may have shown.
pub(super) fn merge(errors: Vec<PendingError>) -> Vec<PendingError> {
    let mut merged: Vec<PendingError> = Vec::with_capacity(errors.len());
    for error in errors {
        let same = merged
            .iter_mut()
            .find(|known| known.shares_transaction(&error) && known.record.is_same_failure(&error.record));
        match same {
            Some(known) if known.record.is_repeated_by(&error.record) => {
                known.record.occurrences += error.record.occurrences;
            }
            Some(known) => keep_more_detailed(known, error),
            None => merged.push(error),
        }
    }
    merged
}

/// Returns whether an error adds nothing to an earlier report of the same failure.
///
/// A report of a bare status contains no cause, so that any later error adds something to it.
pub(super) fn repeats(earlier: &PendingError, error: &PendingError) -> bool {
    earlier.shares_transaction(error)
        && earlier.record.origin != Origin::Status
        && earlier.record.is_same_failure(&error.record)
        && !earlier.record.is_repeated_by(&error.record)
}

/// Keeps the more detailed report. Its id is the one of the transaction's primary error, or else the earlier one.
fn keep_more_detailed(known: &mut PendingError, mut other: PendingError) {
    let is_primary = known.transaction.as_ref().is_some_and(|shared| shared.error_id() == Some(other.record.id));
    let id = if is_primary { other.record.id } else { known.record.id };
    if detail(&other.record) > detail(&known.record) {
        other.record.happened_at = known.record.happened_at;
        other.record.occurrences = other.record.occurrences.max(known.record.occurrences);
        std::mem::swap(known, &mut other);
    }
    known.record.id = id;
    keep_log_values(&mut known.record, other.record);
}

/// Keeps the fields of a log event, and its message as the extra value `log`.
fn keep_log_values(kept: &mut ErrorRecord, log: ErrorRecord) {
    if log.origin != Origin::Logged {
        return;
    }
    let message = (log.message != kept.message).then(|| ("log".into(), log.message.into()));
    for (name, value) in log.extra.into_iter().chain(message) {
        if !kept.extra.iter().any(|(known, _)| *known == name) {
            kept.extra.push((name, value));
        }
    }
}

/// Returns a key that compares how much reports contain: by level, then origin, causes and stack.
fn detail(record: &ErrorRecord) -> (Level, Origin, usize, usize) {
    let stack = match &record.stack {
        Stack::Addresses(addresses) => addresses.len(),
        Stack::Frames(frames) => frames.len(),
    };
    (record.level, record.origin, record.causes.len(), stack)
}
