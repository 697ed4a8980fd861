//! Starting, running and stopping a server.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::backends::{QueueEnds, open_server_store};
use super::config::ServerConfig;
use super::health::Health;
use super::http;
use super::listener::{self, Listener};
use super::metrics::Metrics;
use super::probe::{Probe, ProbeCondition, Target};
use super::register::{AppCredentials, RegisterError, connect_repository, create_app, create_member, create_token};
use super::roles::{IntakeRole, WebRole, WorkerRole};
use super::start_error::StartError;
use super::tls::{HangUp, Tls};
use crate::boxed::compiled_here;
use crate::data_folder::{DataFolder, Lock};
use crate::passwords::Passwords;
use crate::people::People;
use crate::site::Sites;
use crate::store::{Access, NewApp, Store};

/// The time that running requests and the worker's last batch have to finish.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// A running server: all roles, or some of them.
///
/// # Examples
///
/// ```
/// use opbeat_server::{Server, ServerConfig};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let server = Server::start(ServerConfig::new(folder.path(), "127.0.0.1:0".parse()?)).await?;
/// let app = server.create_app("acme", "shop").await?;
/// println!("agents report to {} with {}", app.server_url, app.secret_token);
/// println!("people sign in at {}", server.sign_in_url());
/// server.shut_down().await;
/// # Ok(())
/// # }
/// ```
pub struct Server {
    addresses: Vec<SocketAddr>,
    /// The URL at which others reach the server.
    url: String,
    folder: Option<DataFolder>,
    store: Store,
    stop: watch::Sender<bool>,
    is_tls: bool,
    http: JoinHandle<()>,
    probe: Option<JoinHandle<()>>,
    roles: Running,
    /// The lock of the data folder, held while the server runs.
    _lock: Option<Lock>,
}

/// The roles that run.
struct Running {
    intake: Option<IntakeRole>,
    worker: Option<WorkerRole>,
    web: Option<WebRole>,
}

/// The token of the sign-in link is omitted, so that logs do not contain it.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts the roles of a configuration, which accept requests when this returns.
    ///
    /// # Errors
    ///
    /// Returns an error if the data folder, the database, the queue, the certificate or an address cannot be used.
    #[inline(never)]
    pub fn start(config: ServerConfig) -> impl Future<Output = Result<Self, StartError>> + Send {
        compiled_here(Box::pin(Self::start_roles(config)))
    }

    async fn start_roles(config: ServerConfig) -> Result<Self, StartError> {
        listener::raise_limit();
        let folder = config.needs_data_folder().then(|| DataFolder::open(&config.data)).transpose()?;
        let lock = folder.as_ref().map(DataFolder::lock).transpose()?;
        let store = open_server_store(&config).await?;
        let queue = QueueEnds::open(&config, &store).await?;
        let tls = config.tls.clone().map(Tls::open).transpose()?;
        let (addresses, sockets): (Vec<_>, Vec<_>) = bind(&config.listen)?.into_iter().unzip();
        let first = addresses.first().copied().ok_or(StartError::NoAddress)?;
        let is_tls = tls.is_some();
        let url = config.public_url.as_ref().map_or_else(|| url(first, is_tls), ToString::to_string);

        let (stop, stopped) = watch::channel(false);
        let health = queue.health();
        let roles = Running::start(&config, queue, &store, &url).await;
        let probe = probe(&config, &store, first, tls.as_ref())?;
        let condition = probe.as_ref().map(|(probe, _)| probe.condition.clone());
        let disk = roles.intake.as_ref().map(IntakeRole::disk);
        let health = Health::new(health, store.clone(), &config, disk, condition);
        if let Some(folder) = &folder {
            announce(folder, &url, roles.web.as_ref());
        }
        tokio::spawn(health.clone().watch(stopped.clone()));
        if let Some(tls) = tls.clone() {
            let hang_up = HangUp::install().map_err(StartError::Signal)?;
            tokio::spawn(tls.watch(hang_up, stopped.clone()));
        }
        let sites = Arc::new(Sites { public: config.public_url, trusted: config.trusted_proxies });
        let refusals = roles.intake.as_ref().map(IntakeRole::refusals);
        let process = Router::new().merge(Metrics { health: health.clone(), refusals }.router()).merge(health.router());
        let router = http::router(process, roles.intake.as_ref(), roles.web.as_ref(), Arc::clone(&sites));
        let listener = Listener { sockets, limits: config.connections, sites, tls };
        let http = tokio::spawn(listener::serve(listener, router, stopped.clone()));
        let probe = probe.map(|(probe, interval)| probe.start(interval, stopped));
        Ok(Self { addresses, url, folder, store, stop, is_tls, http, probe, roles, _lock: lock })
    }

    /// Returns the first address that the server listens on.
    ///
    /// # Panics
    ///
    /// Never: a server does not start without an address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        *self.addresses.first().expect("a server does not start without an address")
    }

    /// Returns all addresses that the server listens on.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the addresses as URLs.
    pub(crate) fn local_urls(&self) -> Vec<String> {
        self.addresses.iter().map(|address| url(*address, self.is_tls)).collect()
    }

    /// Returns the public URL of the configuration, or the first address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns the link that signs a browser in to the pages of all organizations, until this server stops.
    ///
    /// It contains a secret. `&next=` and the path of a page, percent-encoded, make it open that page. A server without
    /// the role web returns its URL.
    #[must_use]
    pub fn sign_in_url(&self) -> String {
        self.roles.web.as_ref().map_or_else(|| self.url(), |web| web.sign_in_url(&self.url))
    }

    /// Creates an app with its organization, unless they exist, and a new secret token.
    ///
    /// # Errors
    ///
    /// Returns an error if a name is invalid or the database fails.
    #[inline(never)]
    pub fn create_app(
        &self,
        organization: &str,
        app: &str,
    ) -> impl Future<Output = Result<AppCredentials, RegisterError>> + Send {
        let new = NewApp { organization: organization.to_owned(), app: app.to_owned(), ..NewApp::default() };
        compiled_here(Box::pin(async move { create_app(&self.store, &new, None, &self.url).await }))
    }

    /// Creates a read token for an organization.
    ///
    /// # Errors
    ///
    /// Returns an error if the organization does not exist or the database fails.
    #[inline(never)]
    pub fn create_read_token(&self, organization: &str) -> impl Future<Output = Result<String, RegisterError>> + Send {
        let organization = organization.to_owned();
        compiled_here(Box::pin(async move { create_token(&self.store, &organization, (Access::Read, "")).await }))
    }

    /// Creates a person as a member of an organization. Returns a new password, unless there is an account with this
    /// e-mail address already, which keeps its own.
    ///
    /// # Errors
    ///
    /// Returns an error if the organization does not exist, a value is invalid, or the database fails.
    #[inline(never)]
    pub fn create_member(
        &self,
        organization: &str,
        name: &str,
        email: &str,
    ) -> impl Future<Output = Result<Option<String>, RegisterError>> + Send {
        let people = People::new(self.store.clone(), Passwords::new());
        let (organization, name, email) = (organization.to_owned(), name.to_owned(), email.to_owned());
        compiled_here(Box::pin(async move { create_member(&people, &organization, (&name, &email)).await }))
    }

    /// Connects a Git repository with an app, so that its errors are assigned to the authors of the failing lines. The
    /// address is a URL, or the absolute path of a repository on this machine. The worker fetches it.
    ///
    /// # Errors
    ///
    /// Returns an error if the app does not exist, the address cannot be used, or the database fails.
    #[inline(never)]
    pub fn connect_repository(
        &self,
        organization: &str,
        app: &str,
        url: &str,
    ) -> impl Future<Output = Result<(), RegisterError>> + Send {
        let (organization, app, url) = (organization.to_owned(), app.to_owned(), url.to_owned());
        compiled_here(Box::pin(async move { connect_repository(&self.store, (&organization, &app), &url).await }))
    }

    /// Stops the server, within 10 seconds: accepts no more requests, finishes the running ones, stores queued data and
    /// closes the database. Data that is still in the queue then is stored at the next start.
    #[inline(never)]
    pub fn shut_down(self) -> impl Future<Output = ()> + Send {
        compiled_here(Box::pin(self.stop_roles()))
    }

    async fn stop_roles(self) {
        self.stop.send_replace(true);
        if let Some(folder) = &self.folder {
            folder.remove_link();
        }
        let Running { intake, worker, .. } = self.roles;
        let work = async {
            // An error means that the task panicked, and so has nothing left to finish.
            let _ = self.http.await;
            if let Some(probe) = self.probe {
                let _ = probe.await;
            }
            if let Some(intake) = intake {
                intake.stop().await;
            }
            if let Some(worker) = worker {
                worker.stop().await;
            }
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, work).await.is_err() {
            tracing::warn!("not all queued data was stored within 10 s; the rest is stored at the next start");
        }
        self.store.close().await;
    }
}

impl Running {
    /// Starts the roles that have their ends of the queue, and the pages.
    async fn start(config: &ServerConfig, ends: QueueEnds, store: &Store, url: &str) -> Self {
        let intake = match ends.queue {
            Some(queue) => Some(IntakeRole::start(queue, store.clone(), config).await),
            None => None,
        };
        let worker = ends.source.map(|source| WorkerRole::start(source, store.clone(), config, url));
        let web = config.roles.web.then(|| WebRole::start(store.clone(), config));
        Self { intake, worker, web }
    }
}

/// Returns the probe and its interval, if this process has the pages, and knows an intake.
fn probe(
    config: &ServerConfig,
    store: &Store,
    first: SocketAddr,
    tls: Option<&Tls>,
) -> Result<Option<(Probe, Duration)>, StartError> {
    let Some(interval) = config.probe.interval.filter(|_| config.roles.web) else { return Ok(None) };
    let target = match &config.probe.url {
        Some(url) => Target::at(url).map_err(StartError::Probe)?,
        None if config.roles.intake => Target::own(reachable(first), tls.map(Tls::own_client)),
        None => return Ok(None),
    };
    let (config, condition) = (config.probe.clone(), ProbeCondition::default());
    Ok(Some((Probe { store: store.clone(), target, config, condition }, interval)))
}

/// Listens on all addresses. Returns them with the ports that the system selected.
fn bind(addresses: &[SocketAddr]) -> Result<Vec<(SocketAddr, TcpListener)>, StartError> {
    let bind = |&address: &SocketAddr| {
        let failed = |source| StartError::Listen { address, source };
        let socket = listener::bind(address, addresses).map_err(failed)?;
        Ok((socket.local_addr().map_err(failed)?, socket))
    };
    addresses.iter().map(bind).collect()
}

/// Keeps the URL and the sign-in link in the data folder, for commands that print them.
fn announce(folder: &DataFolder, url: &str, web: Option<&WebRole>) {
    folder.write_url(url);
    if let Some(Err(error)) = web.map(|web| folder.write_link(&web.sign_in_url(url))) {
        tracing::warn!(%error, "the sign-in link cannot be kept in the data folder; `opbeat link` cannot print it");
    }
}

/// Returns the address at which this machine reaches an address that it listens on: an unspecified one is reached by the
/// loopback address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    address
}

/// Returns the URL of an address.
fn url(address: SocketAddr, is_tls: bool) -> String {
    let address = reachable(address);
    // The number of a network interface is no part of a URL.
    let host = SocketAddr::new(address.ip(), address.port());
    format!("{}://{host}", if is_tls { "https" } else { "http" })
}
