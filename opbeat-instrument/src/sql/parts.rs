//! The parts of a statement that are kept.

use std::sync::Arc;

/// The parts of a statement without its values.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Parts {
    pub(super) signature: Box<str>,
    pub(super) text: Box<str>,
}

/// Kept for the life of the process, or owned because the limit of kept statements is reached.
#[derive(Clone)]
pub(super) enum Kept {
    Always(&'static Parts),
    Shared(Arc<Parts>),
}
