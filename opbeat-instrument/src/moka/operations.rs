//! The operations of a cache, as spans.

use opbeat_core::Span;
use opbeat_core::instrument::Position;

/// The signatures of a cache's operations.
#[derive(Debug)]
pub(super) struct Operations {
    pub(super) get: String,
    pub(super) get_with: String,
    pub(super) insert: String,
    pub(super) remove: String,
}

impl Operations {
    pub(super) fn of(name: Option<&str>) -> Self {
        let signature = |operation: &str| match name {
            Some(name) => format!("{operation} {name}"),
            None => operation.to_owned(),
        };
        Self {
            get: signature("get"),
            get_with: signature("get_with"),
            insert: signature("insert"),
            remove: signature("remove"),
        }
    }
}

/// Starts the span of an operation.
pub(super) fn start(position: &Position, signature: &str) -> Span {
    position.start(signature.to_owned(), "cache.moka")
}

/// Notes whether the value was in the cache.
pub(super) fn note_hit(span: &Span, is_hit: bool) {
    span.set_extra("hit", is_hit);
}
