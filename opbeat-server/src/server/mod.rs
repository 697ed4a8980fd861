//! The server: all its parts in one process.

mod health;
mod http;
mod register;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub use register::{AppCredentials, NameError, RegisterError, create_app, create_read_token};

use crate::data_folder::{DataFolder, DataFolderError};
use crate::directory::StoreDirectory;
use crate::intake::IntakeLimits;
use crate::queue::{Queue, QueueLimits};
use crate::store::{NewApp, Store, StoreError};
use crate::worker::Worker;

/// Requests and the worker's last batch have this long to finish.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server is told at its start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Where all state lies.
    pub data: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What one request may cost.
    pub intake: IntakeLimits,
    /// How large the queue may grow.
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
/// println!("agents deliver to {} with {}", app.server_url, app.secret_token);
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
    /// Held while the server runs.
    _lock: File,
}

/// A server that could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database cannot be opened.
    #[error("the database cannot be opened: {}", chain(.0))]
    Store(#[from] StoreError),
    /// The queue cannot be opened.
    #[error("the queue cannot be opened: {0}")]
    Queue(#[source] io::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; choose another address with --listen, or stop what listens there")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

impl Server {
    /// Starts a server. When this returns, it accepts requests.
    ///
    /// # Errors
    ///
    /// Returns an error if the data folder or the address cannot be used.
    pub async fn start(config: ServerConfig) -> Result<Self, StartError> {
        let folder = DataFolder::open(&config.data)?;
        let lock = folder.lock()?;
        let store = Store::open(&folder.database()).await?;
        let from = store.queue_position().await?;
        let (queue, reader) = Queue::open(&folder.queue(), config.queue, from).map_err(StartError::Queue)?;
        let tokens = Arc::new(StoreDirectory::open(store.clone()).await?);
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
            tokens,
            limits: config.intake,
            store: store.clone(),
            listens_to_loopback: address.ip().is_loopback(),
        });
        let http = tokio::spawn(http::serve(listener, router, stopped));
        Ok(Self { address, store, stop, stop_worker, http, worker, _lock: lock })
    }

    /// Returns the address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address as a URL.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// Creates what is missing of an organization and an app, and a new secret token.
    ///
    /// # Errors
    ///
    /// Returns an error if a name cannot be one, or the database fails.
    pub async fn create_app(&self, organization: &str, app: &str) -> Result<AppCredentials, RegisterError> {
        let new = NewApp { organization: organization.to_owned(), app: app.to_owned(), ..NewApp::default() };
        create_app(&self.store, &new, None, &self.url()).await
    }

    /// Creates a read token for an organization.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such organization, or the database fails.
    pub async fn create_read_token(&self, organization: &str) -> Result<String, RegisterError> {
        create_read_token(&self.store, organization).await
    }

    /// Stops: takes no more requests, finishes those that run, stores what is queued as far as ten seconds reach, and
    /// closes the database. What is left in the queue is stored at the next start.
    pub async fn shut_down(self) {
        self.stop.send_replace(true);
        let work = async {
            // A task that panicked has nothing left to finish.
            let _ = self.http.await;
            let _ = self.stop_worker.send(());
            let _ = self.worker.await;
        };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, work).await.is_err() {
            tracing::warn!("not all work was finished in time; the rest waits in the queue for the next start");
        }
        self.store.close().await;
    }
}

fn url(address: SocketAddr) -> String {
    let host = match address.ip() {
        ip if ip.is_unspecified() && ip.is_ipv4() => SocketAddr::from(([127, 0, 0, 1], address.port())),
        _ => address,
    };
    format!("http://{host}")
}

/// Says what an error and all its causes say.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
