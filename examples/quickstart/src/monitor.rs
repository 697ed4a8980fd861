//! The Opbeat server, and one agent for each app.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use opbeat_core::{Agent, Config};
use opbeat_server::{Server, ServerConfig};
use tempfile::TempDir;

use crate::BoxError;
use crate::arguments::Arguments;

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
            agents.insert(app, agent(&server, app).await?);
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

async fn agent(server: &Server, app: &str) -> Result<Agent, BoxError> {
    let credentials = server.create_app(ORGANIZATION, app).await?;
    let config = Config::new(credentials.organization_id, credentials.app_id, credentials.secret_token)
        .server_url(credentials.server_url)
        .release(env!("CARGO_PKG_VERSION"))
        .flush_interval(Duration::from_secs(1));
    Ok(Agent::start(&config)?)
}
