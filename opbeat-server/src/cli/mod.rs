//! The command line of `opbeat`.

mod app;
mod serve;
mod token;

use std::error::Error;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::data_folder::DataFolder;
use crate::store::Store;

/// Shows where a web application is slow, and what fails in it.
#[derive(Debug, Parser)]
#[command(name = "opbeat", version, about)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Runs the server: takes data, keeps it, shows it.
    Serve(serve::Serve),
    /// Creates apps.
    #[command(subcommand)]
    App(app::App),
    /// Creates tokens for the API and for signing in.
    #[command(subcommand)]
    Token(token::Token),
}

#[derive(Debug, Args)]
struct Data {
    /// The folder that holds all state.
    #[arg(long, value_name = "DIR", env = "OPBEAT_DATA", default_value = "opbeat-data")]
    data: PathBuf,
}

impl Command {
    /// Does what it says.
    ///
    /// # Errors
    ///
    /// Returns an error that says what to do.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        match self.action {
            Action::Serve(serve) => serve.run().await,
            Action::App(app) => app.run().await,
            Action::Token(token) => token.run().await,
        }
    }
}

/// Opens the store beside a server that may be running.
async fn open_store(data: &Path) -> Result<(DataFolder, Store), Box<dyn Error>> {
    let folder = DataFolder::open(data)?;
    let store = Store::open(&folder.database()).await?;
    Ok((folder, store))
}
