//! Recommendations, with a bug.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Recommends a book. Every seventh request panics, because the list is too short.
pub(super) async fn for_reader() -> &'static str {
    static READERS: AtomicUsize = AtomicUsize::new(0);
    let reader = READERS.fetch_add(1, Ordering::Relaxed) % 7;
    pick(reader)
}

fn pick(reader: usize) -> &'static str {
    const BEST: [&str; 6] = ["Emma", "Walden", "Dracula", "Moby-Dick", "Middlemarch", "Frankenstein"];
    BEST[reader]
}
