//! The role that stores the queue's data.

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::notify::Notifier;
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
    /// Starts to store the data of the queue. Messages link to pages below `url`.
    pub(in crate::server) fn start(source: Source, store: Store, config: &ServerConfig, url: &str) -> Self {
        let (stop, stopped) = oneshot::channel();
        let repositories = Repositories::new(&config.data, config.repositories);
        let notifier = Notifier::new(&config.notifications, url);
        let worker = Worker::new(store, source, config.retention.into());
        let worker = worker.with_repositories(repositories).with_notifier(notifier);
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
