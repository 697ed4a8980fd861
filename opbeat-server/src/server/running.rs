//! Starting, running and stopping a server.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::health::{Health, HealthLimits};
use super::http;
use super::listener::{self, ConnectionLimits, Listener};
use super::register::{AppCredentials, RegisterError, create_app, create_read_token};
use super::tls::{HangUp, Tls, TlsError, TlsFiles};
use crate::data_folder::{DataFolder, DataFolderError, Lock};
use crate::directory::StoreDirectory;
use crate::intake::{Disk, Gate, IntakeLimits, Refusals, start_quotas};
use crate::queue::{AmqpAddress, Broker, InvalidAddress, Queue, QueueAddress, QueueLimits, Source};
use crate::random::random_hex;
use crate::sessions::Sessions;
use crate::site::{self, Network, PublicUrl, Sites};
use crate::store::{NewApp, Store, StoreAddress, StoreError};
use crate::worker::Worker;

/// The time that running requests and the worker's last batch have to finish.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// The configuration of a server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// The folder that holds all state.
    pub data: PathBuf,
    /// The URL of a database of PostgreSQL, instead of the one in the folder.
    pub store: Option<String>,
    /// The addresses to listen on. Port 0 selects a free port. `[::]` includes all addresses of IPv4.
    pub listen: Vec<SocketAddr>,
    /// The URL at which browsers and agents reach the server through a proxy. All links start with it.
    pub public_url: Option<PublicUrl>,
    /// The proxies whose headers `X-Forwarded-…` and `Forwarded` are believed: by default, those on this machine.
    pub trusted_proxies: Vec<Network>,
    /// The certificate of HTTPS. Without one, the server speaks HTTP.
    pub tls: Option<TlsFiles>,
    /// The limits of connections.
    pub connections: ConnectionLimits,
    /// The limits of one request of an agent.
    pub intake: IntakeLimits,
    /// The limits of the queue.
    pub queue: QueueLimits,
    /// The place of the queue.
    pub queue_address: QueueAddress,
    /// The times after which the health check reports that data is not stored.
    pub health: HealthLimits,
    /// Whether an empty database is created if it is missing, although the data folder was used before.
    pub create_database: bool,
    /// The longest time that a page or a query of the API may take.
    pub page_timeout: Duration,
}

impl ServerConfig {
    /// Makes a configuration with the default limits.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self {
            data: data.into(),
            store: None,
            listen: vec![listen],
            public_url: None,
            trusted_proxies: site::loopback(),
            tls: None,
            connections: ConnectionLimits::default(),
            intake: IntakeLimits::default(),
            queue: QueueLimits::default(),
            queue_address: QueueAddress::default(),
            health: HealthLimits::default(),
            create_database: false,
            page_timeout: Store::TIME_LIMIT,
        }
    }
}

/// A running server.
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
    url: String,
    folder: DataFolder,
    store: Store,
    link_token: String,
    stop: watch::Sender<bool>,
    stop_worker: oneshot::Sender<()>,
    http: JoinHandle<()>,
    refusals: (watch::Sender<bool>, JoinHandle<()>),
    worker: JoinHandle<()>,
    /// The lock of the data folder, held while the server runs.
    _lock: Lock,
}

/// The token of the sign-in link is omitted, so that logs do not contain it.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database cannot be opened.
    #[error("cannot open the database in the data folder")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The queue cannot be opened.
    #[error("cannot open the queue in the data folder")]
    Queue(#[source] io::Error),
    /// The address of the queue is invalid.
    #[error(transparent)]
    QueueAddress(Box<dyn std::error::Error + Send + Sync>),
    /// The certificate of HTTPS cannot be used.
    #[error("cannot use the certificate of HTTPS")]
    Tls(#[from] TlsError),
    /// The handler of a signal cannot be installed.
    #[error("cannot handle the signal by which the certificate is read again")]
    Signal(#[source] io::Error),
    /// No address was given.
    #[error("there is no address to listen on; name one with --listen")]
    NoAddress,
    /// The server cannot listen on an address.
    #[error("cannot listen on {address}; choose another address with --listen, or stop the program that uses it")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Database(error.into())
    }
}

impl From<InvalidAddress> for StartError {
    fn from(error: InvalidAddress) -> Self {
        Self::QueueAddress(error.into())
    }
}

/// Opens both ends of the queue.
async fn open_queue(config: &ServerConfig, folder: &DataFolder, store: &Store) -> Result<(Queue, Source), StartError> {
    match &config.queue_address {
        QueueAddress::Embedded => {
            let from = store.queue_position().await.ok();
            Queue::open(&folder.queue(), config.queue, from).map_err(StartError::Queue)
        }
        QueueAddress::Amqp(url) => {
            let broker = Broker::start(AmqpAddress::parse(url)?);
            let queue = broker.queue(&folder.spool(), config.queue).map_err(StartError::Queue)?;
            Ok((queue, broker.source()))
        }
    }
}

impl Server {
    /// Starts a server, which accepts requests when this returns.
    ///
    /// # Errors
    ///
    /// Returns an error if the data folder, the database, the queue, the certificate or an address cannot be used.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        listener::raise_limit();
        let folder = DataFolder::open(&config.data)?;
        let lock = folder.lock()?;
        let store = open_store(&folder, &config).await?;
        let (queue, source) = open_queue(&config, &folder, &store).await?;
        let directory = StoreDirectory::open(store.clone(), folder.directory()).await;
        let tls = config.tls.map(Tls::open).transpose()?;
        let mut sockets = Vec::new();
        let mut addresses = Vec::new();
        for &address in &config.listen {
            let failed = |source| StartError::Listen { address, source };
            let socket = listener::bind(address, &config.listen).map_err(failed)?;
            addresses.push(socket.local_addr().map_err(failed)?);
            sockets.push(socket);
        }
        let first = *addresses.first().ok_or(StartError::NoAddress)?;
        let url = config.public_url.as_ref().map_or_else(|| url(first, tls.is_some()), ToString::to_string);
        folder.write_url(&url);
        let link_token = random_hex::<32>();
        if let Err(error) = folder.write_link(&sign_in_url(&url, &link_token)) {
            tracing::warn!(%error, "the sign-in link cannot be kept in the data folder; `opbeat link` cannot print it");
        }

        let (stop, stopped) = watch::channel(false);
        let (stop_worker, worker_stops) = oneshot::channel();
        let worker = Worker::new(store.clone(), source);
        let worker = tokio::spawn(worker.run(worker_stops));
        let refusals = Refusals::default();
        let (stop_refusals, refusals_stop) = watch::channel(false);
        let deliver = tokio::spawn(refusals.clone().deliver(queue.clone(), refusals_stop));
        let disk = Disk::open(&config.data, config.intake.min_free_bytes);
        tokio::spawn(disk.clone().watch(stopped.clone()));
        let (limits, counts) = start_quotas(Arc::new(store.clone()), stopped.clone()).await;
        let gate = Gate::new(config.intake, limits, counts, disk.clone());
        let health = Health::new(queue.health(), store.clone(), config.health, disk);
        tokio::spawn(health.clone().watch(stopped.clone()));
        if let Some(tls) = tls.clone() {
            let hang_up = HangUp::install().map_err(StartError::Signal)?;
            tokio::spawn(tls.watch(hang_up, stopped.clone()));
        }
        let sites = Arc::new(Sites { public: config.public_url, trusted: config.trusted_proxies });
        let router = http::router(http::Parts {
            queue,
            directory,
            limits: config.intake,
            refusals,
            gate,
            store: store.clone(),
            health,
            sessions: Sessions::new(store.clone(), &link_token),
            sites: Arc::clone(&sites),
            page_timeout: config.page_timeout,
        });
        let listener = Listener { sockets, limits: config.connections, sites, tls };
        let http = tokio::spawn(listener::serve(listener, router, stopped));
        let refusals = (stop_refusals, deliver);
        Ok(Self { addresses, url, folder, store, link_token, stop, stop_worker, http, refusals, worker, _lock: lock })
    }

    /// Returns the first address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Returns all addresses that the server listens on.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Returns the public URL, or the first address as a URL. It has no slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Returns the link that signs a browser in to the pages of all organizations, until this server stops.
    ///
    /// It contains a secret. `&next=` and the path of a page, percent-encoded, make it open that page.
    #[must_use]
    pub fn sign_in_url(&self) -> String {
        sign_in_url(&self.url, &self.link_token)
    }

    /// Creates an app with its organization, unless they exist, and a new secret token.
    ///
    /// # Errors
    ///
    /// Returns an error if a name is invalid or the database fails.
    pub async fn create_app(&self, organization: &str, app: &str) -> Result<AppCredentials, RegisterError> {
        let new = NewApp { organization: organization.to_owned(), app: app.to_owned(), ..NewApp::default() };
        create_app(&self.store, &new, None, &self.url()).await
    }

    /// Creates a read token for an organization.
    ///
    /// # Errors
    ///
    /// Returns an error if the organization does not exist or the database fails.
    pub async fn create_read_token(&self, organization: &str) -> Result<String, RegisterError> {
        create_read_token(&self.store, organization).await
    }

    /// Stops the server, within 10 seconds: accepts no more requests, finishes the running ones, stores queued data and
    /// closes the database. Data that is still in the queue then is stored at the next start.
    pub async fn shut_down(self) {
        self.stop.send_replace(true);
        self.folder.remove_link();
        let work = async {
            // An error means that the task panicked, and so has nothing left to finish.
            let _ = self.http.await;
            let (stop_refusals, refusals) = self.refusals;
            stop_refusals.send_replace(true);
            let _ = refusals.await;
            let _ = self.stop_worker.send(());
            let _ = self.worker.await;
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, work).await.is_err() {
            tracing::warn!("not all queued data was stored within 10 s; the rest is stored at the next start");
        }
        self.store.close().await;
    }
}

/// Opens the store. A database that is missing although the folder was used before is not created: it may be put back.
async fn open_store(folder: &DataFolder, config: &ServerConfig) -> Result<Store, StartError> {
    if let Some(url) = &config.store {
        return Ok(Store::open(StoreAddress::Postgres(url.clone()), config.page_timeout).await?);
    }
    match folder.prepare_database(config.create_database) {
        Ok(()) => {}
        Err(error @ DataFolderError::DatabaseMissing { .. }) => {
            tracing::error!(%error, "data is accepted with known tokens, and waits in the queue until then");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Store::open(StoreAddress::file(folder.database()), config.page_timeout).await?)
}

fn sign_in_url(url: &str, link_token: &str) -> String {
    format!("{url}/sign-in?token={link_token}")
}

/// Returns the URL of an address. An unspecified address is reached by the loopback address.
fn url(mut address: SocketAddr, is_tls: bool) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    // The number of a network interface is no part of a URL.
    let host = SocketAddr::new(address.ip(), address.port());
    format!("{}://{host}", if is_tls { "https" } else { "http" })
}
