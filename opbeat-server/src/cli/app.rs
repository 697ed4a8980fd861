//! `opbeat app create`

use std::error::Error;

use clap::{Args, Subcommand};

use super::{Data, open_store};
use crate::server::create_app;
use crate::store::NewApp;

/// Where `opbeat serve` listens without options.
const DEFAULT_URL: &str = "http://127.0.0.1:8200";

#[derive(Debug, Subcommand)]
pub(super) enum App {
    /// Creates what is missing of an organization and an app, and prints what an agent needs, with a new secret token.
    ///
    /// The output is for a shell: `set -a; source <(opbeat app create acme/shop); set +a`
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The names, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    names: Names,
    #[command(flatten)]
    data: Data,
    /// The address that the application reaches the server at. Default: where it listens.
    #[arg(long)]
    url: Option<String>,
    /// The organization's id, for agents that have one already.
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// The app's id, for agents that have one already.
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// A secret token, for agents that have one already.
    #[arg(long, value_name = "TOKEN", env = "OPBEAT_NEW_SECRET_TOKEN", hide_env_values = true)]
    secret_token: Option<String>,
}

#[derive(Clone, Debug)]
struct Names {
    organization: String,
    app: String,
}

fn parse_names(names: &str) -> Result<Names, String> {
    let (organization, app) = names.split_once('/').ok_or("give organization and app as in `acme/shop`")?;
    Ok(Names { organization: organization.to_owned(), app: app.to_owned() })
}

impl App {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        let Self::Create(create) = self;
        create.run().await
    }
}

impl Create {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (folder, store) = open_store(&self.data.data).await?;
        let url = self.url.or_else(|| folder.url()).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let new = NewApp {
            organization: self.names.organization,
            app: self.names.app,
            organization_id: self.organization_id,
            app_id: self.app_id,
        };
        let app = create_app(&store, &new, self.secret_token, &url).await?;
        println!("OPBEAT_SERVER_URL={}", quoted(&app.server_url));
        println!("OPBEAT_ORGANIZATION_ID={}", app.organization_id);
        println!("OPBEAT_APP_ID={}", app.app_id);
        println!("OPBEAT_SECRET_TOKEN={}", quoted(&app.secret_token));
        store.close().await;
        Ok(())
    }
}

/// Quotes a value for a shell, if it needs that.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}
