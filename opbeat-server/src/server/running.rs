//! Starting, running and stopping a server.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::health::{Health, HealthLimits};
use super::http;
use super::register::{AppCredentials, RegisterError, create_app, create_read_token};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::directory::StoreDirectory;
use crate::intake::{Disk, EventCounts, Gate, IntakeLimits, KnownLimits, Refusals};
use crate::queue::{AmqpAddress, Broker, InvalidAddress, Queue, QueueAddress, QueueLimits, Source};
use crate::random::random_hex;
use crate::sessions::Sessions;
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
    /// The address to listen on. Port 0 selects a free port.
    pub listen: SocketAddr,
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
            listen,
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
    address: SocketAddr,
    folder: DataFolder,
    store: Store,
    link_token: String,
    stop: watch::Sender<bool>,
    stop_worker: oneshot::Sender<()>,
    http: JoinHandle<()>,
    refusals: (watch::Sender<bool>, JoinHandle<()>),
    worker: JoinHandle<()>,
    /// The lock of the data folder, held while the server runs.
    _lock: File,
}

/// The token of the sign-in link is omitted, so that logs do not contain it.
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
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
    /// The server cannot listen on the address.
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
    /// Returns an error if the data folder, the database, the queue or the address cannot be used.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let folder = DataFolder::open(&config.data)?;
        let lock = folder.lock()?;
        let store = open_store(&folder, &config).await?;
        let (queue, source) = open_queue(&config, &folder, &store).await?;
        let directory = StoreDirectory::open(store.clone(), folder.directory()).await;
        let failed = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        folder.write_url(&url(address));
        let link_token = random_hex::<32>();
        if let Err(error) = folder.write_link(&sign_in_url(address, &link_token)) {
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
        let gate = Gate::new(config.intake, KnownLimits::default(), EventCounts::default(), disk.clone());
        let health = Health::new(queue.health(), store.clone(), config.health, disk);
        tokio::spawn(health.clone().watch(stopped.clone()));
        let router = http::router(http::Parts {
            queue,
            directory,
            limits: config.intake,
            refusals,
            gate,
            store: store.clone(),
            health,
            sessions: Sessions::new(store.clone(), &link_token),
            page_timeout: config.page_timeout,
        });
        let http = tokio::spawn(http::serve(listener, router, stopped));
        let refusals = (stop_refusals, deliver);
        Ok(Self { address, folder, store, link_token, stop, stop_worker, http, refusals, worker, _lock: lock })
    }

    /// Returns the address that the server listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Returns the link that signs a browser in to the pages of all organizations, until this server stops.
    ///
    /// It contains a secret. `&next=` and the path of a page, percent-encoded, make it open that page.
    #[must_use]
    pub fn sign_in_url(&self) -> String {
        sign_in_url(self.address, &self.link_token)
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
    match folder.prepare_database(config.create_database) {
        Ok(()) => {}
        Err(error @ DataFolderError::DatabaseMissing { .. }) => {
            tracing::error!(%error, "data is accepted with known tokens, and waits in the queue until then");
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Store::open(StoreAddress::file(folder.database()), config.page_timeout).await?)
}

fn sign_in_url(address: SocketAddr, link_token: &str) -> String {
    format!("{}/sign-in?token={link_token}", url(address))
}

/// Returns the URL of an address. An unspecified IPv4 address is reached by its loopback address.
fn url(address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if ip.is_unspecified() && ip.is_ipv4() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    };
    format!("http://{host}")
}
