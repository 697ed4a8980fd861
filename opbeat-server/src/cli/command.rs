//! The command with its subcommands.

use std::error::Error;

use clap::{Parser, Subcommand};

use super::app::App;
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
    /// Creates apps, and sets which web pages may send data.
    #[command(subcommand)]
    App(App),
    /// Creates read tokens, for the API and for signing in to the pages.
    #[command(subcommand)]
    Token(Token),
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
            Action::App(app) => app.run().await,
            Action::Token(token) => token.run().await,
        }
    }
}
