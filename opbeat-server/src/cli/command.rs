//! The command with its subcommands.

use std::error::Error;
use std::pin::Pin;

use clap::{Parser, Subcommand};

use super::app::App;
use super::backup::Backup;
use super::check_config::CheckConfig;
use super::import::Import;
use super::link::Link;
use super::organization::Organization;
use super::person::Person;
use super::queue::Queue;
use super::remote::{Errors, Findings, Release, ShowError, Transactions};
use super::repository::Repository;
use super::restore::Restore;
use super::serve::Serve;
use super::token::Token;
use crate::config::Purpose;

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
    /// Runs only the part of the server that accepts data, beside others on a shared queue and database.
    Intake(Serve),
    /// Runs only the part of the server that stores data, beside others on a shared queue and database.
    Worker(Serve),
    /// Runs only the pages and the API, beside others on a shared database.
    Web(Serve),
    /// Checks the configuration, and prints the value and the source of each key.
    CheckConfig(CheckConfig),
    /// Prints the link that signs in to the pages of the running server.
    Link(Link),
    /// Creates apps, and sets which web pages may send data.
    #[command(subcommand)]
    App(App),
    /// Changes the settings of organizations.
    #[command(subcommand, name = "org")]
    Organization(Organization),
    /// Creates people, lists them, and gives them new passwords.
    #[command(subcommand)]
    Person(Person),
    /// Lists and replays accepted data that could not be stored.
    // The alias is the command's earlier name.
    #[command(subcommand, alias = "parked")]
    Queue(Queue),
    /// Creates read tokens, for the API and for signing in to the pages. Lists and revokes all tokens.
    #[command(subcommand)]
    Token(Token),
    Transactions(Transactions),
    Errors(Errors),
    Error(ShowError),
    Findings(Findings),
    /// Reports and lists releases.
    #[command(subcommand)]
    Release(Release),
    /// Connects Git repositories with apps, so that errors are assigned to authors.
    #[command(subcommand)]
    Repository(Repository),
    Backup(Backup),
    Restore(Restore),
    Import(Import),
}

impl Command {
    /// Runs the command, with a log on standard error.
    ///
    /// # Errors
    ///
    /// Returns an error with a message for the user. Its sources contain the causes.
    ///
    /// # Panics
    ///
    /// Panics if the process has a global subscriber of `tracing` already.
    #[inline(never)]
    pub fn run(self) -> impl Future<Output = Result<(), Box<dyn Error>>> {
        // The trait object makes the compiler compile the commands here, and not again in the binary.
        let run: Pin<Box<dyn Future<Output = _>>> = Box::pin(self.run_action());
        run
    }

    async fn run_action(self) -> Result<(), Box<dyn Error>> {
        match self.action {
            Action::Serve(serve) => serve.run(Purpose::Serve).await,
            Action::Intake(serve) => serve.run(Purpose::Intake).await,
            Action::Worker(serve) => serve.run(Purpose::Worker).await,
            Action::Web(serve) => serve.run(Purpose::Web).await,
            Action::CheckConfig(check) => check.run(),
            Action::Link(link) => link.run(),
            Action::App(app) => app.run().await,
            Action::Organization(organization) => organization.run().await,
            Action::Person(person) => person.run().await,
            Action::Queue(queue) => queue.run().await,
            Action::Token(token) => token.run().await,
            Action::Transactions(transactions) => transactions.run().await,
            Action::Errors(errors) => errors.run().await,
            Action::Error(error) => error.run().await,
            Action::Findings(findings) => findings.run().await,
            Action::Release(release) => release.run().await,
            Action::Repository(repository) => repository.run().await,
            Action::Backup(backup) => backup.run().await,
            Action::Restore(restore) => restore.run().await,
            Action::Import(import) => import.run().await,
        }
    }
}
