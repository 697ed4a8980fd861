//! The values of all keys, with the place at which each was set.

use std::fmt;

use super::key::Key;
use super::mistake::Origin;
use super::settings::Settings;

/// The values of all keys, and their sources.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The values.
    pub(crate) settings: Settings,
    /// The value of each key as it is written in a file, with passwords hidden, and its source.
    pub(super) sources: Vec<Source>,
}

/// The value of a key, and its source.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) key: &'static Key,
    pub(super) value: Option<String>,
    pub(super) origin: Origin,
}

impl Loaded {
    /// Returns the source of a key's value.
    pub(super) fn origin(&self, name: &str) -> Origin {
        let source = self.sources.iter().find(|source| source.key.name == name);
        source.map_or(Origin::Default, |source| source.origin.clone())
    }
}

/// Writes the configuration as a file, with the source of each value.
impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.sources.iter().map(|source| match &source.value {
            Some(value) => (format!("{} = {value}", source.key.name), &source.origin),
            None => (format!("# {} is not set", source.key.name), &source.origin),
        });
        for (line, origin) in lines {
            writeln!(f, "{line:<48} # {origin}")?;
        }
        Ok(())
    }
}
