//! The command with its subcommands.

use std::error::Error;

use clap::{Parser, Subcommand};

use super::app::App;
use super::backup::Backup;
use super::import::Import;
use super::link::Link;
use super::organization::Organization;
use super::parked::Parked;
use super::restore::Restore;
use super::serve::Serve;
use super::token::Token;

/// Shows the performance and the errors of web applications.
#[derive(Debug, Parser)]
#[command(name = "opbeat", version)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Runs the server, which accepts data from agents, stores it and shows it.
    Serve(Serve),
    /// Prints the link that signs in to the pages of the running server.
    Link(Link),
    /// Creates apps, and sets which web pages may send data.
    #[command(subcommand)]
    App(App),
    /// Changes the settings of organizations.
    #[command(subcommand, name = "org")]
    Organization(Organization),
    /// Lists and replays accepted data that could not be stored.
    #[command(subcommand)]
    Parked(Parked),
    /// Creates read tokens, for the API and for signing in to the pages. Lists and revokes all tokens.
    #[command(subcommand)]
    Token(Token),
    Backup(Backup),
    Restore(Restore),
    Import(Import),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// Returns an error with a message for the user. Its sources contain the causes.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        match self.action {
            Action::Serve(serve) => serve.run().await,
            Action::Link(link) => link.run(),
            Action::App(app) => app.run().await,
            Action::Organization(organization) => organization.run().await,
            Action::Parked(parked) => parked.run().await,
            Action::Token(token) => token.run().await,
            Action::Backup(backup) => backup.run().await,
            Action::Restore(restore) => restore.run().await,
            Action::Import(import) => import.run().await,
        }
    }
}
