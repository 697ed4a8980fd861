//! The role that accepts data.

use std::sync::Arc;

use axum::Router;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::data_folder::DataFolder;
use crate::directory::StoreDirectory;
use crate::intake::{self, Disk, Gate, Intake, Refusals, start_counts};
use crate::otlp;
use crate::queue::Queue;
use crate::server::ServerConfig;
use crate::service_directory::StoreServices;
use crate::store::Store;

/// The running intake: its routes, and the delivery of the counts of refused requests.
pub(in crate::server) struct IntakeRole {
    intake: Intake,
    services: Arc<StoreServices>,
    stop: watch::Sender<bool>,
    refusals: Refusals,
    deliveries: JoinHandle<()>,
    disk: Disk,
}

impl IntakeRole {
    /// Reads the tokens, and starts to deliver the counts of refused requests.
    pub(in crate::server) async fn start(queue: Queue, store: Store, config: &ServerConfig) -> Self {
        let snapshot = DataFolder::existing(&config.data).directory();
        let directory = StoreDirectory::open(store.clone(), snapshot).await;
        let refusals = Refusals::default();
        let (stop, stopped) = watch::channel(false);
        let deliveries = tokio::spawn(refusals.clone().deliver(queue.clone(), stopped.clone()));
        let disk = Disk::open(&config.data, config.intake.min_free_bytes);
        tokio::spawn(disk.clone().watch(stopped.clone()));
        let counts = start_counts(Arc::new(store.clone()), stopped).await;
        let gate = Gate::new(config.intake, Arc::new(directory.clone()), counts, disk.clone());
        let (tokens, origins) = (Arc::new(directory.clone()), Arc::new(directory.clone()));
        let intake = Intake::new(queue, tokens, origins, config.intake, refusals.clone(), gate);
        let services = Arc::new(StoreServices::new(store, directory));
        Self { intake, services, stop, refusals, deliveries, disk }
    }

    /// Returns the counts of refused requests.
    pub(in crate::server) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }

    /// Returns the disk of the data folder.
    pub(in crate::server) fn disk(&self) -> Disk {
        self.disk.clone()
    }

    /// Makes the routes of agents, browsers and OpenTelemetry.
    pub(in crate::server) fn router(&self) -> Router {
        let services = Arc::clone(&self.services);
        intake::router(self.intake.clone()).merge(otlp::router(self.intake.clone(), services))
    }

    /// Delivers the last counts. To be called after the last request was answered.
    pub(in crate::server) async fn stop(self) {
        self.stop.send_replace(true);
        // An error means that the task panicked, and so has nothing left to finish.
        let _ = self.deliveries.await;
    }
}
