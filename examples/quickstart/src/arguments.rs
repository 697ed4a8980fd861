//! What the program is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What the program is told.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Runs for a bounded time on free ports, and checks the count.
    pub(crate) check: bool,
    /// Where the server keeps its state; a temporary folder by default.
    pub(crate) data: Option<PathBuf>,
    /// Where the server listens.
    pub(crate) listen: Option<SocketAddr>,
}

const USAGE: &str = "usage: cargo run -p quickstart -- [--check] [--data DIR] [--listen ADDR]";

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value; {USAGE}"));
            match argument.as_str() {
                "--check" => parsed.check = true,
                "--data" => parsed.data = Some(value()?.into()),
                "--listen" => {
                    let address = value()?;
                    let address = address.parse().map_err(|_| format!("{address:?} is no address; {USAGE}"))?;
                    parsed.listen = Some(address);
                }
                _ => return Err(format!("{argument:?} is not understood; {USAGE}")),
            }
        }
        Ok(parsed)
    }

    /// Returns the time between two requests of a visitor.
    pub(crate) fn pause(&self) -> Duration {
        if self.check { Duration::from_millis(2) } else { Duration::from_millis(120) }
    }
}
