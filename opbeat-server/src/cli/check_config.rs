//! The command `opbeat check-config`.

use std::error::Error;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::settings::ServerFlags;
use crate::config::Purpose;

/// Checks the configuration.
#[derive(Debug, Args)]
pub(super) struct CheckConfig {
    /// The file with the configuration. Default: the one that the server would use.
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,
    /// The command that the configuration is for.
    #[arg(long, value_enum, default_value_t = Role::Serve)]
    role: Role,
    #[command(flatten)]
    flags: ServerFlags,
}

/// A command that runs a server.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// `opbeat serve`
    Serve,
    /// `opbeat intake`
    Intake,
    /// `opbeat worker`
    Worker,
    /// `opbeat web`
    Web,
}

impl CheckConfig {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) fn run(self) -> Result<(), Box<dyn Error>> {
        let purpose = match self.role {
            Role::Serve => Purpose::Serve,
            Role::Intake => Purpose::Intake,
            Role::Worker => Purpose::Worker,
            Role::Web => Purpose::Web,
        };
        match self.flags.with_file(self.file).load(purpose) {
            Ok(loaded) => {
                print!("{loaded}");
                Ok(())
            }
            Err(mistakes) => {
                mistakes.0.iter().for_each(|mistake| println!("{mistake}"));
                Err(mistakes.summary().into())
            }
        }
    }
}
