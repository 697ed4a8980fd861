//! Mistakes in a configuration.

use std::fmt;
use std::path::PathBuf;

/// The place at which a key was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The key was not set.
    Default,
    /// A line of the file, counted from 1.
    File {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) | Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A mistake in a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// The place of the mistake.
    pub(super) origin: Origin,
    /// The reason, and the remedy.
    pub(super) message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            // Messages about keys without a place name the keys.
            Origin::Default => f.write_str(&self.message),
            origin => write!(f, "{origin}: {}", self.message),
        }
    }
}

/// All mistakes in a configuration, in the order of the file, the variables and the flags.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.lines())]
pub(crate) struct Mistakes(pub(crate) Vec<Mistake>);

impl Mistakes {
    /// Returns the number of mistakes, as a sentence.
    pub(crate) fn summary(&self) -> String {
        match self.0.len() {
            1 => "the configuration has 1 mistake".to_owned(),
            count => format!("the configuration has {count} mistakes"),
        }
    }

    fn lines(&self) -> String {
        let lines = self.0.iter().map(|mistake| format!("\n  {mistake}"));
        format!("{}:{}", self.summary(), lines.collect::<String>())
    }
}
