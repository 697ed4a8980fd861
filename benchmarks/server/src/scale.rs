//! The size of a large database, and the modes that fill and measure it.

use std::path::PathBuf;

use crate::{Options, Result};

/// The number of apps with a token, which bodies are posted to.
pub(crate) const REPORTING: usize = 20;

/// The options of these modes.
pub(crate) struct Scale {
    /// `--data FOLDER`: the folder of the database.
    pub(crate) data: PathBuf,
    /// `--apps NUMBER`: the number of apps.
    pub(crate) apps: usize,
    /// `--names NUMBER`: the number of names of each app.
    pub(crate) names: usize,
    /// `--wide NUMBER`: the number of names of one app.
    pub(crate) wide: usize,
    /// `--occurrences NUMBER`: the number of occurrences of errors.
    pub(crate) occurrences: usize,
    /// `--pause NUMBER`: the hours from one minute in which a name of most apps runs to the next.
    pub(crate) pause: i64,
    /// `--seed NUMBER`: figures with the same seed are equal.
    pub(crate) seed: u64,
    /// `--requests NUMBER`: the number of requests of each path.
    pub(crate) requests: usize,
}

/// A mode that needs a large database.
pub(crate) enum Mode {
    /// Creates the database.
    Fill,
    /// Requests the pages and the answers of the API.
    Pages,
    /// Posts durations to it.
    Rate,
}

/// Parses the command line, if its first argument names a mode.
pub(crate) fn parse() -> Result<Option<(Mode, Options, Scale)>> {
    let mut arguments = std::env::args().skip(1);
    let mode = match arguments.next().as_deref() {
        Some("fill") => Mode::Fill,
        Some("pages") => Mode::Pages,
        Some("rate") => Mode::Rate,
        _ => return Ok(None),
    };
    let mut options = Options::new();
    let mut scale = Scale {
        data: PathBuf::from("large"),
        apps: 2_000,
        names: 200,
        wide: 10_000,
        occurrences: 1_000_000,
        pause: 48,
        seed: 1,
        requests: 40,
    };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        match name.as_str() {
            "--opbeat" => options.opbeat = value.into(),
            "--seconds" => options.seconds = value.parse()?,
            "--data" => scale.data = value.into(),
            "--apps" => scale.apps = value.parse()?,
            "--names" => scale.names = value.parse()?,
            "--wide" => scale.wide = value.parse()?,
            "--occurrences" => scale.occurrences = value.parse()?,
            "--pause" => scale.pause = value.parse()?,
            "--seed" => scale.seed = value.parse()?,
            "--requests" => scale.requests = value.parse()?,
            other => return Err(format!("there is no option {other}").into()),
        }
    }
    scale.apps = scale.apps.max(REPORTING);
    Ok(Some((mode, options, scale)))
}
