//! Names of targets and spans.

use std::borrow::Cow;

/// A name, or the beginning of names if it ends in `*`.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Cow<'static, str>);

impl Pattern {
    pub(super) fn new(pattern: impl Into<Cow<'static, str>>) -> Self {
        Self(pattern.into())
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.strip_suffix('*').map_or_else(|| *self.0 == *name, |start| name.starts_with(start))
    }
}
