//! The places at which an address becomes a database or a queue.

use std::path::Path;
use std::time::Duration;

use super::config::ServerConfig;
use super::start_error::StartError;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::queue::{AmqpAddress, Broker, Queue, QueueAddress, QueueHealth, QueueId, Source};
use crate::store::{Store, StoreAddress};

/// The longest wait of a start for the database. Agents are refused until the start is done.
const START_WAIT: Duration = Duration::from_secs(2);

/// Opens the database of a URL, or the one in the data folder, for a command.
pub(crate) async fn open_store(postgres: Option<&str>, data: &Path, time_limit: Duration) -> Result<Store, StartError> {
    let address = match postgres {
        Some(url) => StoreAddress::Postgres(url.to_owned()),
        None => {
            let folder = DataFolder::open(data)?;
            folder.prepare_database(false)?;
            StoreAddress::file(folder.database())
        }
    };
    Ok(Store::open(address, time_limit, Store::TIME_LIMIT).await?)
}

/// Opens the store of a server.
///
/// A database that is missing although the folder was used before is not created: it may be put back.
pub(super) async fn open_server_store(config: &ServerConfig) -> Result<Store, StartError> {
    let address = match &config.store {
        Some(url) => StoreAddress::Postgres(url.clone()),
        None => {
            let folder = DataFolder::open(&config.data)?;
            match folder.prepare_database(config.create_database) {
                Ok(()) => StoreAddress::file(folder.database()),
                Err(error @ DataFolderError::DatabaseMissing { .. }) => {
                    tracing::error!(%error, "data is accepted with known tokens, and waits in the queue until then");
                    StoreAddress::missing_file(folder.database())
                }
                Err(error) => return Err(error.into()),
            }
        }
    };
    Ok(Store::open(address, config.page_timeout, START_WAIT).await?)
}

/// The ends of the queue that the roles of a process need.
pub(super) struct QueueEnds {
    /// The end that intake appends to.
    pub(super) queue: Option<Queue>,
    /// The end that the worker reads.
    pub(super) source: Option<Source>,
}

impl QueueEnds {
    /// Opens the ends for the roles of a configuration.
    pub(super) async fn open(config: &ServerConfig, store: &Store) -> Result<Self, StartError> {
        let roles = config.roles;
        if !roles.intake && !roles.worker {
            return Ok(Self { queue: None, source: None });
        }
        let (queue, source) = match &config.queue {
            QueueAddress::Embedded => {
                let folder = DataFolder::open(&config.data)?.queue();
                let id = QueueId::of(&folder).map_err(StartError::Queue)?;
                // The worker asks again.
                let from = tokio::time::timeout(START_WAIT, store.queue_position(id)).await.ok().and_then(Result::ok);
                let (queue, source) = Queue::open(&folder, id, config.queue_limits, from).map_err(StartError::Queue)?;
                (Some(queue), Some(source))
            }
            QueueAddress::Amqp(url) => {
                let broker = Broker::start(AmqpAddress::parse(url)?);
                let spool = || broker.queue(&DataFolder::existing(&config.data).spool(), config.queue_limits);
                let queue = if roles.intake { Some(spool().map_err(StartError::Queue)?) } else { None };
                // A source receives messages as soon as it exists, so only a worker has one.
                (queue, roles.worker.then(|| broker.source()))
            }
        };
        Ok(Self { queue: queue.filter(|_| roles.intake), source: source.filter(|_| roles.worker) })
    }

    /// Returns a view of the queue's health, if the process has one of its ends.
    pub(super) fn health(&self) -> Option<QueueHealth> {
        self.queue.as_ref().map(Queue::health).or_else(|| self.source.as_ref().map(Source::health))
    }
}
