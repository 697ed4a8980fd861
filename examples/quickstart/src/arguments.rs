//! The command-line arguments.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::past::Detail;

/// The command-line arguments.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Runs for a few seconds on free ports, and checks the count.
    pub(crate) check: bool,
    /// The server's data folder. Default: a temporary folder.
    pub(crate) data: Option<PathBuf>,
    /// The server's address.
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
                    let address = address
                        .parse()
                        .map_err(|_| format!("{address:?} is not an address such as 127.0.0.1:8200; {USAGE}"))?;
                    parsed.listen = Some(address);
                }
                _ => return Err(format!("unknown argument {argument:?}; {USAGE}")),
            }
        }
        Ok(parsed)
    }

    /// Returns the time between two requests of a visitor.
    pub(crate) fn pause(&self) -> Duration {
        if self.check { Duration::from_millis(2) } else { Duration::from_millis(500) }
    }

    /// Returns the detail of the shop's past. The check counts the last hour, so that this has no past.
    pub(crate) fn detail(&self) -> Detail {
        if self.check { Detail { step: 10, requests: 20, gap: 70 } } else { Detail { step: 1, requests: 40, gap: 0 } }
    }
}
