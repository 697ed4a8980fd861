//! The command `opbeat token create`.

use std::error::Error;

use clap::{Args, Subcommand};

use super::storage::{DataOption, open_store};
use crate::server::create_read_token;

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Creates a read token for an organization, and prints it. It gives access to the API and signs in to the pages.
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The organization's name.
    #[arg(value_name = "ORG")]
    organization: String,
    #[command(flatten)]
    data: DataOption,
}

impl Token {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let Self::Create(create) = self;
        let (_, store) = open_store(&create.data.data).await?;
        let token = create_read_token(&store, &create.organization).await?;
        println!("{token}");
        store.close().await;
        Ok(())
    }
}
