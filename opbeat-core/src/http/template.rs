//! Routes' templates, each kept once.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

/// Different templates that are kept; what comes later is one of [`OTHERS`]. A router has fewer.
const MOST: usize = 2_000;

/// What stands for templates beyond [`MOST`].
const OTHERS: &str = "(other routes)";

/// Longer templates are cut: they are no template.
const LONGEST: usize = 500;

/// Slots of each thread's own memory: a power of two.
const SLOTS: usize = 64;

/// All templates, for as long as the process runs: their number is bounded, and so is their memory.
static ALL: RwLock<Option<HashSet<&'static str>>> = RwLock::new(None);

thread_local! {
    /// The templates that this thread used last, so that threads don't contend for [`ALL`].
    static RECENT: [Cell<&'static str>; SLOTS] = const { [const { Cell::new("") }; SLOTS] };
}

/// Returns the same text with the life of the process, without an allocation for one that is known.
pub(super) fn keep(template: &str) -> &'static str {
    let template = cut(template);
    let slot = slot_of(template);
    RECENT.with(|recent| {
        let recent = &recent[slot];
        if recent.get() != template {
            recent.set(find_or_add(template));
        }
        recent.get()
    })
}

#[cold]
fn find_or_add(template: &str) -> &'static str {
    known(template).unwrap_or_else(|| add(template))
}

/// Returns what a template is kept as, if that is known: requests beyond the bound must not wait for each other.
fn known(template: &str) -> Option<&'static str> {
    let all = ALL.read().unwrap_or_else(PoisonError::into_inner);
    let all = all.as_ref()?;
    all.get(template).copied().or_else(|| (all.len() >= MOST).then_some(OTHERS))
}

fn add(template: &str) -> &'static str {
    let mut all = ALL.write().unwrap_or_else(PoisonError::into_inner);
    let all = all.get_or_insert_default();
    if let Some(known) = all.get(template) {
        return known;
    }
    if all.len() >= MOST {
        return OTHERS;
    }
    let kept: &'static str = Box::leak(template.to_owned().into_boxed_str());
    all.insert(kept);
    kept
}

fn cut(template: &str) -> &str {
    if template.len() <= LONGEST {
        return template;
    }
    let end = (0..=LONGEST).rev().find(|end| template.is_char_boundary(*end)).unwrap_or(0);
    &template[..end]
}

/// Tells templates apart well enough by their length and their last bytes, where routes differ.
fn slot_of(template: &str) -> usize {
    let short = || template.bytes().fold(0, |tail, byte| tail << 8 | u64::from(byte));
    let tail = template.as_bytes().last_chunk().map_or_else(short, |tail| u64::from_le_bytes(*tail));
    // The multiplier is the golden ratio's, whose product has its best bits at the top: Fibonacci hashing.
    let hash = (tail ^ template.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (hash >> (u64::BITS - SLOTS.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_kept_once() {
        let (one, other) = (keep("/books/{id}"), keep(&String::from("/books/{id}")));
        assert_eq!((one, one.as_ptr()), ("/books/{id}", other.as_ptr()));
    }

    #[test]
    fn what_is_no_template_is_cut() {
        assert_eq!(keep(&"é".repeat(400)).len(), LONGEST);
    }
}
