//! The end of the queue in RabbitMQ that intake appends to.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::super::error::AppendError;
use super::super::limits::QueueLimits;
use super::super::message::Message;
use super::super::spool::Spool;
use super::condition::BrokerCondition;
use super::drain;
use super::link::{Connections, Shared};
use super::publish::{PublishError, publish};
use crate::random::random;

/// The largest number of appends that wait to be published. Further ones are rejected, and agents send them again later.
const MAX_WAITING: usize = 4_096;

/// The largest number of records that are published before the first of them is confirmed.
const MAX_GROUP: usize = 512;

/// The number of bytes after which a group of records is published.
const MAX_GROUP_BYTES: usize = 8 << 20;

/// The longest time that intake waits for a confirm. Then the record goes to the spool.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(2);

/// A handle that publishes records, or keeps them in the spool.
#[derive(Clone, Debug)]
pub(crate) struct Publisher {
    connections: Connections,
    spool: Spool,
    appends: mpsc::Sender<Append>,
}

/// A record that waits to be published.
#[derive(Debug)]
struct Append {
    message: Message,
    /// Receives the result.
    done: oneshot::Sender<Result<(), AppendError>>,
}

impl Publisher {
    /// Opens the spool in a folder, and starts the tasks that publish, until the last clone is dropped.
    ///
    /// # Errors
    ///
    /// Returns an error if the folder cannot be read and written.
    pub(crate) fn start(connections: Connections, spool: &Path, limits: QueueLimits) -> io::Result<Self> {
        let (spool, reader) = Spool::open(spool, limits)?;
        let shared = connections.shared();
        let (drained, appending) = (Arc::clone(shared), spool.clone());
        connections.spawn(async move {
            appending.take_back().await;
            // The spool closes with its last handle that appends.
            drop(appending);
            drain::run(drained, reader).await;
        });
        let (appends, waiting) = mpsc::channel(MAX_WAITING);
        tokio::spawn(run(Arc::clone(shared), spool.clone(), waiting));
        Ok(Self { connections, spool, appends })
    }

    /// Appends a record with data of an app. When this returns, it survives a crash of this machine or of RabbitMQ.
    pub(crate) async fn append(&self, app_id: &str, record: &[u8]) -> Result<(), AppendError> {
        let max_payload = self.connections.shared().max_payload();
        if record.len() > max_payload {
            return Err(AppendError::TooLarge(max_payload));
        }
        let message = Message { id: random(), app_id: app_id.into(), payload: record.to_vec() };
        let (done, response) = oneshot::channel();
        self.appends.try_send(Append { message, done }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => AppendError::Busy,
            mpsc::error::TrySendError::Closed(_) => AppendError::Closed,
        })?;
        response.await.unwrap_or(Err(AppendError::Closed))
    }

    /// Returns the condition of RabbitMQ.
    pub(crate) fn condition(&self) -> &Arc<BrokerCondition> {
        &self.connections.shared().condition
    }

    /// Returns the spool.
    pub(crate) const fn spool(&self) -> &Spool {
        &self.spool
    }
}

/// Publishes groups of records, one after the other, so that records stay in the order of their requests.
async fn run(shared: Arc<Shared>, spool: Spool, mut appends: mpsc::Receiver<Append>) {
    while let Some(first) = appends.recv().await {
        let (messages, responses): (Vec<_>, Vec<_>) =
            collect(first, &mut appends).into_iter().map(|append| (append.message, append.done)).unzip();
        let results = if spool.is_empty() && publish_directly(&shared, &messages).await {
            for message in &messages {
                spool.log().condition().record(&Ok(()), !message.app_id.is_empty());
            }
            messages.iter().map(|_| Ok(0)).collect()
        } else {
            // All at once, so that they share a sync.
            join_all(messages.iter().map(|message| spool.append(message))).await
        };
        for (result, done) in results.into_iter().zip(responses) {
            if let Ok(bytes) = result {
                shared.condition.count_spooled(bytes);
            }
            // The request may have been cancelled in the meantime.
            let _ = done.send(result.map(|_| ()));
        }
    }
}

/// Publishes a group. Returns whether RabbitMQ has confirmed all of it.
async fn publish_directly(shared: &Shared, messages: &[Message]) -> bool {
    let Some(link) = shared.usable() else { return false };
    let queue = shared.address.intake();
    let published = publish(&link.direct, &queue, messages);
    match timeout(CONFIRM_TIMEOUT, published).await.unwrap_or(Err(PublishError::Timeout)) {
        Ok(()) => {
            shared.confirm(messages.len());
            true
        }
        Err(error) => {
            shared.fail(&link, &error);
            false
        }
    }
}

/// Takes the appends that wait at this moment, up to the size of a group.
fn collect(first: Append, appends: &mut mpsc::Receiver<Append>) -> Vec<Append> {
    let mut size = first.message.payload.len();
    let mut group = vec![first];
    while group.len() < MAX_GROUP && size < MAX_GROUP_BYTES {
        let Ok(next) = appends.try_recv() else { break };
        size += next.message.payload.len();
        group.push(next);
    }
    group
}
