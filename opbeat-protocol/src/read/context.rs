//! The state of one reading: the limits, what is left of them, and the notes.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;

use super::limits::ReadLimits;
use super::notes::{Notes, Oddity};

/// The state of one reading.
pub(super) struct Context<'l> {
    pub(super) limits: &'l ReadLimits,
    notes: RefCell<Notes>,
    /// Bytes of memory that the body may still take.
    memory: Cell<usize>,
    pub(super) values: Budget,
    pub(super) frame_values: Budget,
    pub(super) durations: Budget,
    pub(super) head_durations: Budget,
    pub(super) pairs: Budget,
    pub(super) spans: Budget,
    pub(super) causes: Budget,
}

impl<'l> Context<'l> {
    pub(super) fn new(limits: &'l ReadLimits, received: usize, notes: Notes) -> Self {
        Self {
            limits,
            notes: RefCell::new(notes),
            memory: Cell::new(limits.memory_base.saturating_add(limits.memory_factor.saturating_mul(received))),
            values: Budget::new(limits.values),
            frame_values: Budget::new(limits.frame_values),
            durations: Budget::new(limits.durations),
            head_durations: Budget::new(limits.durations),
            pairs: Budget::new(limits.durations),
            spans: Budget::new(limits.spans),
            causes: Budget::new(limits.causes),
        }
    }

    pub(super) fn into_notes(self) -> Notes {
        self.notes.into_inner()
    }
}

/// A number of elements that one body may still contain, in all its lists together.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    const fn new(elements: usize) -> Self {
        Self(Cell::new(elements))
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }

    /// Takes one element. Returns whether one was left.
    pub(super) fn spend(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// A location in the body, as a chain that ends at the root.
///
/// The chain lives on the stack of the readers, so that bodies without notes do not pay for it.
pub(super) struct Path<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
    depth: usize,
}

enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl Path<'_> {
    pub(super) const ROOT: Self = Self { parent: None, step: Step::Root, depth: 0 };

    pub(super) const fn key<'p>(&'p self, key: &'p str) -> Path<'p> {
        Path { parent: Some(self), step: Step::Key(key), depth: self.depth + 1 }
    }

    pub(super) const fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index), depth: self.depth + 1 }
    }

    fn write(&self, text: &mut String) {
        if let Some(parent) = self.parent {
            parent.write(text);
        }
        match self.step {
            Step::Root => {}
            Step::Key(key) => push_key(text, key),
            Step::Index(index) => push_index(text, index),
        }
    }
}

/// Adds a key to the text of a path. The key may be as long as the body.
pub(super) fn push_key(text: &mut String, key: &str) {
    if !text.is_empty() {
        text.push('.');
    }
    text.extend(key.chars().take(100));
}

/// Adds an index to the text of a path.
pub(super) fn push_index(text: &mut String, index: usize) {
    // Writing to a `String` cannot fail.
    let _ = write!(text, "[{index}]");
}

/// The location of one value, and the state of the reading.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) path: &'a Path<'a>,
}

impl<'a> At<'a> {
    pub(super) const fn limits(&self) -> &'a ReadLimits {
        self.context.limits
    }

    pub(super) fn note(&self, oddity: Oddity) {
        self.note_count(oddity, 1);
    }

    /// Notes `count` values; none if it is 0.
    pub(super) fn note_count(&self, oddity: Oddity, count: usize) {
        if count == 0 {
            return;
        }
        let path = || {
            let mut text = String::new();
            self.path.write(&mut text);
            text
        };
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.context.notes.borrow_mut().add_with(oddity, count, path);
    }

    /// Takes bytes of memory. Notes and returns `false` if the body has taken all that it may.
    pub(super) fn charge(&self, bytes: usize) -> bool {
        match self.context.memory.get().checked_sub(bytes) {
            Some(left) => {
                self.context.memory.set(left);
                true
            }
            None => {
                self.note(Oddity::TooMany);
                false
            }
        }
    }

    /// Returns whether an array or object here is nested too deeply.
    pub(super) fn is_too_deep(&self) -> bool {
        // serde_json refuses 128 levels.
        self.path.depth >= self.limits().depth.min(100)
    }
}
