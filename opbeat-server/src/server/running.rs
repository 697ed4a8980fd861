//! Starting, running and stopping a server.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::http;
use super::register::{AppCredentials, RegisterError, create_app, create_read_token};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::directory::StoreDirectory;
use crate::intake::IntakeLimits;
use crate::queue::{Queue, QueueLimits};
use crate::store::{NewApp, Store, StoreError};
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
}

impl ServerConfig {
    /// Makes a configuration with the default limits.
    #[must_use]
    pub fn new(data: impl Into<PathBuf>, listen: SocketAddr) -> Self {
        Self { data: data.into(), listen, intake: IntakeLimits::default(), queue: QueueLimits::default() }
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
/// server.shut_down().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    store: Store,
    stop: watch::Sender<bool>,
    stop_worker: oneshot::Sender<()>,
    http: JoinHandle<()>,
    worker: JoinHandle<()>,
    /// The lock of the data folder, held while the server runs.
    _lock: File,
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

impl Server {
    /// Starts a server, which accepts requests when this returns.
    ///
    /// # Errors
    ///
    /// Returns an error if the data folder, the database, the queue or the address cannot be used.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let folder = DataFolder::open(&config.data)?;
        let lock = folder.lock()?;
        let store = Store::open(&folder.database()).await?;
        let from = store.queue_position().await?;
        let (queue, reader) = Queue::open(&folder.queue(), config.queue, from).map_err(StartError::Queue)?;
        let directory = Arc::new(StoreDirectory::open(store.clone()).await?);
        let failed = |source| StartError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        folder.write_url(&url(address));

        let (stop, stopped) = watch::channel(false);
        let (stop_worker, worker_stops) = oneshot::channel();
        let worker = Worker::new(store.clone(), queue.clone(), reader);
        let worker = tokio::spawn(worker.run(worker_stops));
        let router = http::router(&http::Parts {
            queue,
            directory,
            limits: config.intake,
            store: store.clone(),
            listens_to_loopback: address.ip().is_loopback(),
        });
        let http = tokio::spawn(http::serve(listener, router, stopped));
        Ok(Self { address, store, stop, stop_worker, http, worker, _lock: lock })
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
        let work = async {
            // An error means that the task panicked, and so has nothing left to finish.
            let _ = self.http.await;
            let _ = self.stop_worker.send(());
            let _ = self.worker.await;
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, work).await.is_err() {
            tracing::warn!("not all queued data was stored within 10 s; the rest is stored at the next start");
        }
        self.store.close().await;
    }
}

/// Returns the URL of an address. An unspecified IPv4 address is reached by its loopback address.
fn url(address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if ip.is_unspecified() && ip.is_ipv4() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    };
    format!("http://{host}")
}
