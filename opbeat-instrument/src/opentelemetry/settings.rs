//! The settings of a tracer provider.

use std::borrow::Cow;
use std::fmt;

use opbeat_core::Agent;

/// The settings of a provider, which its spans share.
#[derive(Clone, Default)]
pub(super) struct Settings {
    /// The agent for transactions that spans begin; `None` if they begin none.
    pub(super) agent: Option<Agent>,
    pub(super) kept_attributes: Vec<Cow<'static, str>>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("kept_attributes", &self.kept_attributes).finish_non_exhaustive()
    }
}
