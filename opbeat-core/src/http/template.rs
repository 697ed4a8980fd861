//! Route templates, each kept in memory once.

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::RwLock;

use crate::lock::unpoisoned;

/// The largest number of templates that are kept. Routers have fewer; further ones are replaced by [`OTHERS`].
const MAX_TEMPLATES: usize = 2_000;

/// The replacement for templates beyond [`MAX_TEMPLATES`].
const OTHERS: &str = "(other routes)";

/// The largest length of a template in bytes. Longer ones are cut, since they are probably paths.
const MAX_LENGTH: usize = 500;

/// The number of slots in each thread's cache, a power of two.
const SLOTS: usize = 64;

/// All templates, until the process ends. Their number and their length are bounded, and so is their memory.
static ALL: RwLock<Option<HashSet<&'static str>>> = RwLock::new(None);

thread_local! {
    /// A cache of the templates that this thread used last, so that threads do not contend for [`ALL`].
    static RECENT: [Cell<&'static str>; SLOTS] = const { [const { Cell::new("") }; SLOTS] };
}

/// Returns the same text with a `'static` lifetime. It allocates only for a new template.
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

/// Returns the kept text of a known template, or [`OTHERS`] for a new one beyond the limit.
///
/// It only takes the read lock, so that requests beyond the limit do not wait for each other.
fn known(template: &str) -> Option<&'static str> {
    let all = unpoisoned(ALL.read());
    let all = all.as_ref()?;
    all.get(template).copied().or_else(|| (all.len() >= MAX_TEMPLATES).then_some(OTHERS))
}

fn add(template: &str) -> &'static str {
    let mut all = unpoisoned(ALL.write());
    let all = all.get_or_insert_default();
    if let Some(known) = all.get(template) {
        return known;
    }
    if all.len() >= MAX_TEMPLATES {
        return OTHERS;
    }
    let kept: &'static str = Box::leak(template.to_owned().into_boxed_str());
    all.insert(kept);
    kept
}

fn cut(template: &str) -> &str {
    // Nearly all templates are short, and then this comparison is the only cost.
    if template.len() <= MAX_LENGTH {
        return template;
    }
    &template[..template.floor_char_boundary(MAX_LENGTH)]
}

/// Returns the cache slot of a template. It hashes the length and the last eight bytes only, in which routes differ.
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
    fn a_long_template_is_cut() {
        assert_eq!(keep(&"é".repeat(400)).len(), MAX_LENGTH);
    }
}
