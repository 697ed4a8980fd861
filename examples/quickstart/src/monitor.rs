//! The Opbeat server, and one agent for each app.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use opbeat_core::{Agent, Config};
use opbeat_server::{AppCredentials, Server, ServerConfig};
use tempfile::TempDir;

use crate::BoxError;
use crate::arguments::Arguments;
use crate::code::{AUTHORS, Code};
use crate::past::{self, Detail};

/// The organization that all apps belong to.
pub(crate) const ORGANIZATION: &str = "quickstart";

/// The apps.
pub(crate) const APPS: [&str; 3] = ["shop", "prices", "covers"];

/// The server's default address.
const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8200);

/// A free port.
const FREE_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The server, embedded, and an agent for each app.
pub(crate) struct Monitor {
    server: Server,
    agents: BTreeMap<&'static str, Agent>,
    /// Removed when the program ends.
    _folder: Option<TempDir>,
}

impl Monitor {
    pub(crate) async fn start(arguments: &Arguments) -> Result<Self, BoxError> {
        let folder = if arguments.data.is_none() { Some(tempfile::tempdir()?) } else { None };
        let data = arguments.data.clone().or_else(|| folder.as_ref().map(|folder| folder.path().to_owned()));
        let data = data.ok_or("the server needs a data folder")?;
        let is_new = std::fs::read_dir(&data).map_or(true, |mut files| files.next().is_none());
        let code = data.join("quickstart-code");
        let server = match arguments.listen {
            Some(address) => Server::start(ServerConfig::new(data, address)).await?,
            None if arguments.check => Server::start(ServerConfig::new(data, FREE_PORT)).await?,
            None => match Server::start(ServerConfig::new(&data, DEFAULT_ADDRESS)).await {
                Err(opbeat_server::StartError::Listen { .. }) => {
                    Server::start(ServerConfig::new(data, FREE_PORT)).await?
                }
                started => started?,
            },
        };
        let mut agents = BTreeMap::new();
        for app in APPS {
            let credentials = server.create_app(ORGANIZATION, app).await?;
            let mut release = env!("CARGO_PKG_VERSION").to_owned();
            if app == "shop" && is_new {
                release = open_shop(&server, &credentials, &code, arguments.detail()).await?;
            }
            agents.insert(app, agent(credentials, &release)?);
        }
        Ok(Self { server, agents, _folder: folder })
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Returns the link that signs in and opens the page of the shop.
    pub(crate) fn sign_in_url(&self) -> String {
        format!("{}&next=%2F{ORGANIZATION}%2Fshop%2F", self.server.sign_in_url())
    }

    pub(crate) fn agent(&self, app: &str) -> &Agent {
        &self.agents[app]
    }

    pub(crate) async fn read_token(&self) -> Result<String, BoxError> {
        Ok(self.server.create_read_token(ORGANIZATION).await?)
    }

    /// Delivers what the agents have recorded.
    pub(crate) async fn flush(&self) -> Result<(), BoxError> {
        for agent in self.agents.values() {
            let agent = agent.clone();
            tokio::task::spawn_blocking(move || agent.flush(Duration::from_secs(30))).await??;
        }
        Ok(())
    }

    pub(crate) async fn stop(self) {
        for agent in self.agents.into_values() {
            // The server stops too, so an error has no consequence.
            let _ = tokio::task::spawn_blocking(move || agent.shutdown(Duration::from_secs(2))).await;
        }
        self.server.shut_down().await;
    }
}

/// Reports the past of the shop, and connects a repository with its code. Returns the revision that runs now.
async fn open_shop(
    server: &Server,
    credentials: &AppCredentials,
    code: &Path,
    detail: Detail,
) -> Result<String, BoxError> {
    let now = Timestamp::now();
    let code = connect(server, code.to_owned(), past::releases(now)).await?;
    let versions = || ["0.0.9", env!("CARGO_PKG_VERSION")].map(str::to_owned);
    let revisions = code.map_or_else(versions, |code| code.revisions);
    past::report(credentials, now, &revisions, detail).await?;
    let [_, running] = revisions;
    Ok(running)
}

/// Makes the members and the repository of the shop, so that its errors are assigned to authors. Without the command `git`,
/// it says so and makes neither.
async fn connect(server: &Server, code: PathBuf, released: [Timestamp; 2]) -> Result<Option<Code>, BoxError> {
    let code = match tokio::task::spawn_blocking(move || Code::commit(code, released)).await? {
        Ok(code) => code,
        Err(error) => {
            tracing::warn!("errors are not assigned to authors: {error}");
            return Ok(None);
        }
    };
    for (name, email) in AUTHORS {
        server.create_member(ORGANIZATION, name, email).await?;
    }
    server.connect_repository(ORGANIZATION, "shop", code.path()?).await?;
    Ok(Some(code))
}

fn agent(credentials: AppCredentials, release: &str) -> Result<Agent, BoxError> {
    let config = Config::new(credentials.organization_id, credentials.app_id, credentials.secret_token)
        .server_url(credentials.server_url)
        .release(release)
        .flush_interval(Duration::from_secs(1));
    Ok(Agent::start(&config)?)
}
