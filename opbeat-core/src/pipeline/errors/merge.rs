//! One failure, one report, however often it was logged, returned and captured.

use super::PendingError;
use crate::record::{ErrorRecord, Level, Origin, Stack};

/// Shorter words are found in any message.
const TELLING: usize = 4;

/// Merges the reports of the same failure in the same transaction: the richest stays, under the id of the first, which
/// the application may have shown. What comes from the very same place again is another failure, and is counted.
pub(super) fn merge(errors: Vec<PendingError>) -> Vec<PendingError> {
    let mut merged: Vec<PendingError> = Vec::with_capacity(errors.len());
    for error in errors {
        let same =
            merged.iter_mut().find(|known| known.shares_transaction(&error) && is_same(&known.record, &error.record));
        match same {
            Some(known) if is_repetition(&known.record, &error.record) => {
                known.record.occurrences += error.record.occurrences;
            }
            Some(known) => keep_richer(known, error),
            None => merged.push(error),
        }
    }
    merged
}

/// Returns whether an error tells once more of the failure that an earlier one told. A bare status told nothing.
pub(super) fn retells(earlier: &PendingError, error: &PendingError) -> bool {
    earlier.shares_transaction(error)
        && earlier.record.origin != Origin::Status
        && is_same(&earlier.record, &error.record)
        && !is_repetition(&earlier.record, &error.record)
}

/// It goes by the id that its transaction knows it by, or else by the first one.
fn keep_richer(known: &mut PendingError, mut other: PendingError) {
    let is_shown = known.transaction.as_ref().is_some_and(|shared| shared.error_id() == Some(other.record.id));
    let id = if is_shown { other.record.id } else { known.record.id };
    if richness(&other.record) > richness(&known.record) {
        other.record.happened_at = known.record.happened_at;
        other.record.occurrences = other.record.occurrences.max(known.record.occurrences);
        std::mem::swap(known, &mut other);
    }
    known.record.id = id;
    keep_log(&mut known.record, other.record);
}

/// What a log said of the failure stays, with its fields.
fn keep_log(kept: &mut ErrorRecord, log: ErrorRecord) {
    if log.origin != Origin::Logged {
        return;
    }
    let words = (log.message != kept.message).then(|| ("log".into(), log.message.into()));
    for (name, value) in log.extra.into_iter().chain(words) {
        if !kept.extra.iter().any(|(known, _)| *known == name) {
            kept.extra.push((name, value));
        }
    }
}

/// Returns whether two reports are of two failures, as of a loop that goes on: one failure is told from several places.
fn is_repetition(one: &ErrorRecord, other: &ErrorRecord) -> bool {
    one.location.is_some() && one.location == other.location && one.stack == other.stack && one.message == other.message
}

/// Returns whether two reports tell of the same failure: one of them says, or was caused by, what the other says.
///
/// What is no failure tells of none, whatever its words.
fn is_same(one: &ErrorRecord, other: &ErrorRecord) -> bool {
    if !(one.level.is_failure() && other.level.is_failure()) {
        return one.level == other.level && is_repetition(one, other);
    }
    // A panic by the same words elsewhere is another failure; what repeats a panic's words in its message is not.
    let are_panics = one.origin == Origin::Panicked && other.origin == Origin::Panicked;
    let are_statuses = one.origin == Origin::Status || other.origin == Origin::Status;
    are_statuses || (!are_panics && (says(one, other) || says(other, one)))
}

/// Returns whether what `inner` says is what `outer` says or was caused by, or is retold by it.
fn says(outer: &ErrorRecord, inner: &ErrorRecord) -> bool {
    if inner.message.len() < TELLING {
        return outer.message == inner.message && outer.type_name == inner.type_name;
    }
    outer.message == inner.message
        || outer.causes.iter().any(|cause| cause.message == inner.message)
        || (retold(outer, inner) && has_words(&outer.message, &inner.message))
        || shows(outer, inner)
}

/// Returns whether a log shows the error that `inner` is, by its words or as `Debug` prints it, in its message or a field.
fn shows(log: &ErrorRecord, inner: &ErrorRecord) -> bool {
    let has = |words: &String| log.told.iter().chain([&log.message]).any(|text| has_words(text, words));
    let prints = |printed: &String| printed.len() >= TELLING && has(printed);
    log.origin == Origin::Logged && (has(&inner.message) || inner.told.iter().any(prints))
}

/// Returns whether words of `inner` within `outer` mean that failure. Errors have words of their own: one that says
/// "timeout" is not every other that has this word in it. Lines of a log and messages are about something else, and
/// nobody has a panic's words but who tells of it.
fn retold(outer: &ErrorRecord, inner: &ErrorRecord) -> bool {
    outer.origin < Origin::Captured || outer.type_name.is_none() || inner.origin == Origin::Panicked
}

/// Returns whether a text has other words in it, as whole ones.
fn has_words(text: &str, words: &str) -> bool {
    let is_inside = |inside: Option<char>, outside: Option<char>| {
        inside.is_some_and(char::is_alphanumeric) && outside.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(words).any(|(start, found)| {
        let (before, after) = (text[..start].chars().next_back(), text[start + found.len()..].chars().next());
        !is_inside(words.chars().next(), before) && !is_inside(words.chars().next_back(), after)
    })
}

/// What tells more is kept: first what is worse, then by how it came, then by the causes, then by the stack.
fn richness(record: &ErrorRecord) -> (Level, Origin, usize, usize) {
    let stack = match &record.stack {
        Stack::Addresses(addresses) => addresses.len(),
        Stack::Frames(frames) => frames.len(),
    };
    (record.level, record.origin, record.causes.len(), stack)
}
