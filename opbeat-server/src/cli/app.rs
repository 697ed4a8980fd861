//! The commands `opbeat app create`, `opbeat app origins` and `opbeat app limits`.

use std::error::Error;

use clap::{Args, Subcommand};

use super::limits::Limits;
use super::names::{Names, parse_names};
use super::storage::{DataOption, open_store};
use crate::intake::AllowedOrigin;
use crate::server::{change_origins, create_app};
use crate::store::NewApp;

/// The URL that `opbeat serve` listens on without options.
const DEFAULT_URL: &str = "http://127.0.0.1:8200";

#[derive(Debug, Subcommand)]
pub(super) enum App {
    /// Creates an app with its organization, and prints the environment variables that its agent needs.
    ///
    /// An organization or app that exists already is kept. The secret token is a new one each time; older ones stay
    /// valid.
    ///
    /// To set the variables in a shell: `set -a; source <(opbeat app create acme/shop); set +a`
    Create(Create),
    /// Prints the web pages whose browsers may send data without a token, and adds or removes some.
    ///
    /// At first there are none. A running server uses a new origin at once, and forgets a removed one within five seconds.
    Origins(Origins),
    /// Prints the limits of an app and the times for which its data is kept, and changes some.
    ///
    /// `default` means that the app has the setting of the server. A running server uses a change within five seconds.
    Limits(Limits),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    names: Names,
    #[command(flatten)]
    data: DataOption,
    /// The URL at which the application reaches the server. Default: the public URL, or the URL that the server
    /// listened on last.
    #[arg(long)]
    url: Option<String>,
    /// The organization's id, if agents are configured with one already.
    #[arg(long, value_name = "ID")]
    organization_id: Option<String>,
    /// The app's id, if agents are configured with one already.
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// The secret token, if agents are configured with one already.
    #[arg(long, value_name = "TOKEN", env = "OPBEAT_NEW_SECRET_TOKEN", hide_env_values = true)]
    secret_token: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Origins {
    /// The names of the organization and the app, such as `acme/shop`.
    #[arg(value_name = "ORG/APP", value_parser = parse_names)]
    names: Names,
    #[command(flatten)]
    data: DataOption,
    /// An origin to add: `https://shop.example`, `https://*.shop.example` for all subdomains, or `*` for all pages. It can
    /// be given several times.
    #[arg(long, value_name = "ORIGIN")]
    add: Vec<AllowedOrigin>,
    /// An origin to remove. It can be given several times.
    #[arg(long, value_name = "ORIGIN")]
    remove: Vec<AllowedOrigin>,
}

impl App {
    pub(super) async fn run(self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Create(create) => create.run().await,
            Self::Origins(origins) => origins.run().await,
            Self::Limits(limits) => limits.run().await,
        }
    }
}

impl Create {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (storage, store) = open_store(&self.data.data).await?;
        let url = self.url.or_else(|| storage.url()).unwrap_or_else(|| DEFAULT_URL.to_owned());
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

impl Origins {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
    async fn run(self) -> Result<(), Box<dyn Error>> {
        let (_, store) = open_store(&self.data.data).await?;
        let names = (&*self.names.organization, &*self.names.app);
        let origins = change_origins(&store, names, &self.add, &self.remove).await?;
        if origins.is_empty() {
            eprintln!("No web page may send data to this app. Allow one with `--add https://shop.example`.");
        }
        for origin in origins {
            println!("{origin}");
        }
        store.close().await;
        Ok(())
    }
}

/// Quotes a value for a shell, if it contains characters that are special there.
fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
    if value.chars().all(is_plain) { value.to_owned() } else { format!("'{}'", value.replace('\'', r"'\''")) }
}
