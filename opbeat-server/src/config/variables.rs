//! The variables of the environment that may set keys.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// The prefix of all variables of this project. Some of them are for agents, not for the server.
const PREFIX: &str = "OPBEAT_";

/// The variable with the log's filter that all programs with this sort of log share.
pub(super) const COMMON_LOG_FILTER: &str = "RUST_LOG";

/// The variables that may set keys, by name. A value that is not UTF-8 is `None`. Empty ones count as unset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(BTreeMap<String, Option<String>>);

impl Variables {
    /// Reads the variables of this process.
    pub(crate) fn of_process() -> Self {
        Self::new(std::env::vars_os())
    }

    fn new(variables: impl Iterator<Item = (OsString, OsString)>) -> Self {
        let named = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let ours =
            named.filter(|(name, value)| (name.starts_with(PREFIX) || name == COMMON_LOG_FILTER) && !value.is_empty());
        Self(ours.map(|(name, value)| (name, value.into_string().ok())).collect())
    }

    /// Returns the value of a variable, or `None` within if it is not UTF-8.
    pub(super) fn get(&self, name: &str) -> Option<Option<&str>> {
        self.0.get(name).map(Option::as_deref)
    }

    /// Returns the names of the variables.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
