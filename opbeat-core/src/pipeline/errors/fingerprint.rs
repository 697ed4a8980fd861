//! A hash that similar errors share, computed before their stacks have names.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::PendingError;
use crate::record::Stack;

/// Returns a hash of the error's type, location and causes. An error without a stack also adds its message and the name
/// of its transaction.
///
/// Errors that the server puts into different groups have different hashes, so that the totals of each group are exact.
pub(super) fn of(error: &PendingError) -> u64 {
    let record = &error.record;
    let mut hasher = DefaultHasher::new();
    (record.level, record.origin, &record.type_name, &record.module).hash(&mut hasher);
    if let Some(location) = &record.location {
        (&location.file, location.line, location.column).hash(&mut hasher);
    }
    record.causes.iter().for_each(|cause| cause.type_name.hash(&mut hasher));
    match &record.stack {
        Stack::Addresses(addresses) if record.type_name.is_some() => addresses.hash(&mut hasher),
        Stack::Addresses(_) | Stack::Frames(_) => {
            words(&record.message).for_each(|word| word.hash(&mut hasher));
            error.transaction.as_ref().map(|transaction| transaction.name()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Returns the words of a text. Words with a digit are replaced, because they are numbers, ids, hashes or dates.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().map(|word| if word.contains(|c: char| c.is_ascii_digit()) { "#" } else { word })
}
