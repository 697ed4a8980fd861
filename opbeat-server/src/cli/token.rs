//! The commands `opbeat token create`, `opbeat token list` and `opbeat token revoke`.

use std::error::Error;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::storage::{DataOption, open_store};
use crate::server::{create_token, list_tokens, revoke_token};
use crate::store::Access;

#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Creates a token for an organization, and prints it. It gives access to the API and signs in to the pages.
    ///
    /// It allows reading only, unless `--write` or `--manage` is given.
    Create(Create),
    /// Lists the tokens: id, kind, organization, app, time of creation and name.
    ///
    /// Secret tokens are those that agents send with. The tokens themselves cannot be shown: only their hashes are stored.
    List(List),
    /// Revokes a token by its id, which `opbeat token list` prints.
    ///
    /// A running server refuses it within 5 seconds. Browsers that signed in with it are signed out.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The organization's name.
    #[arg(value_name = "ORG")]
    organization: String,
    /// Allows to resolve, mute and comment errors as well.
    #[arg(long)]
    write: bool,
    /// Allows all that an admin of the organization may do as well: to set up channels for notifications, for example.
    #[arg(long, conflicts_with = "write")]
    manage: bool,
    /// The name in the history of errors: that of the person or the program that uses the token.
    #[arg(long, default_value = "")]
    name: String,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The name of an organization, or of an app as in `acme/shop`. Without it, the tokens of all organizations are listed.
    #[arg(value_name = "ORG[/APP]")]
    owner: Option<String>,
    #[command(flatten)]
    data: DataOption,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The id of the token.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    data: DataOption,
}

impl Token {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Create(create) => create.run().await,
            Self::List(list) => list.run().await,
            Self::Revoke(revoke) => revoke.run().await,
        }
    }
}

impl Create {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (_, store) = open_store(&self.data.data).await?;
        let access = match (self.manage, self.write) {
            (true, _) => Access::Manage,
            (false, true) => Access::Write,
            (false, false) => Access::Read,
        };
        let token = create_token(&store, &self.organization, (access, &self.name)).await?;
        println!("{token}");
        store.close().await;
        Ok(())
    }
}

impl List {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (_, store) = open_store(&self.data.data).await?;
        let mut tokens = list_tokens(&store).await?;
        store.close().await;
        if let Some(owner) = &self.owner {
            let (organization, app) = owner.split_once('/').map_or((&**owner, None), |(name, app)| (name, Some(app)));
            tokens.retain(|token| {
                token.row.organization == organization && (app.is_none() || token.row.app.as_deref() == app)
            });
        }
        if tokens.is_empty() {
            eprintln!("There are no tokens. `opbeat app create ORG/APP` and `opbeat token create ORG` create them.");
        }
        for token in tokens {
            let at = Timestamp::from_microsecond(token.row.created_at).unwrap_or_default();
            let app = token.row.app.as_deref().unwrap_or("-");
            let name = if token.row.name.is_empty() { "-" } else { &token.row.name };
            println!("{}\t{}\t{}\t{app}\t{at:.0}\t{name}", token.id, token.kind(), token.row.organization);
        }
        Ok(())
    }
}

impl Revoke {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (_, store) = open_store(&self.data.data).await?;
        for token in revoke_token(&store, &self.id).await? {
            println!("Revoked {token}. A running server refuses it within 5 seconds.");
        }
        store.close().await;
        Ok(())
    }
}
