//! The role that stores the queue's data.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::queue::Source;
use crate::repositories::Repositories;
use crate::server::ServerConfig;
use crate::store::Store;
use crate::worker::Worker;

/// The running worker.
pub(in crate::server) struct WorkerRole {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl WorkerRole {
    /// Starts to store the data of the queue.
    pub(in crate::server) fn start(source: Source, store: Store, config: &ServerConfig) -> Self {
        let (stop, stopped) = oneshot::channel();
        let repositories = Repositories::new(&config.data, config.repositories);
        let worker = Worker::new(store, source, config.retention.into()).with_repositories(repositories);
        let task = tokio::spawn(worker.run(stopped));
        Self { stop, task }
    }

    /// Stores the data that is in the queue now, and stops.
    pub(in crate::server) async fn stop(self) {
        // An error means that the task panicked, and so has nothing left to finish.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}
