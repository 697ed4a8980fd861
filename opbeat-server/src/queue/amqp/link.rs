//! The connection to RabbitMQ that is kept open, and opened again when it breaks.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::ConfirmSelectOptions;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::address::AmqpAddress;
use super::condition::BrokerCondition;
use super::outage::Outage;
use super::publish::PublishError;
use crate::trust::explain;

/// The longest time that RabbitMQ may take to open a connection. Intake does not wait for it.
pub(super) const OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest time that RabbitMQ may take to answer a question.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The time between two looks at the number of waiting records.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The connections of this process to RabbitMQ. The one for publishing closes with the last clone.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    shared: Arc<Shared>,
    _running: Arc<watch::Sender<()>>,
    stopped: watch::Receiver<()>,
}

/// The state that the tasks of one process share.
pub(super) struct Shared {
    pub(super) address: AmqpAddress,
    pub(super) condition: Arc<BrokerCondition>,
    link: watch::Sender<Option<Arc<Link>>>,
    /// Whether the last attempt to publish has failed.
    has_failed: AtomicBool,
    /// The largest payload in bytes that RabbitMQ takes, as far as it is known.
    max_payload: AtomicUsize,
}

/// The largest payload in bytes, unless RabbitMQ takes less. RabbitMQ 4 takes messages of up to 16 MiB by default, and
/// earlier versions larger ones.
const MAX_PAYLOAD: usize = 15 << 20;

/// An open connection, with a channel for each use.
pub(super) struct Link {
    connection: Connection,
    /// Carries new records.
    pub(super) direct: Channel,
    /// Carries records of the spool.
    pub(super) drain: Channel,
    /// Carries questions.
    looks: Channel,
    /// Why the connection must be opened again.
    failure: watch::Sender<Option<String>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Connections {
    /// Starts to connect, and keeps a connection open.
    pub(crate) fn start(address: AmqpAddress) -> Self {
        let (running, stopped) = watch::channel(());
        let (link, condition) = (watch::Sender::new(None), Arc::default());
        let (has_failed, max_payload) = (AtomicBool::new(false), AtomicUsize::new(MAX_PAYLOAD));
        let shared = Arc::new(Shared { address, condition, link, has_failed, max_payload });
        let connections = Self { shared, _running: Arc::new(running), stopped };
        connections.spawn(keep_connected(Arc::clone(&connections.shared)));
        connections
    }

    /// Runs a task until it ends or the process no longer uses RabbitMQ.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut stopped = self.stopped.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = task => {}
                // The sender sends nothing: this is an error, when it is dropped.
                _ = stopped.changed() => {}
            }
        });
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// Returns the connection if records can be published on it now.
    pub(super) fn usable(&self) -> Option<Arc<Link>> {
        self.link.borrow().clone().filter(|link| link.is_usable())
    }

    /// Waits for a connection on which records can be published.
    pub(super) async fn wait_until_usable(&self) -> Arc<Link> {
        let mut links = self.link.subscribe();
        loop {
            if let Some(link) = self.usable() {
                return link;
            }
            // An alarm of RabbitMQ ends without another connection.
            let _ = timeout(LOOK_INTERVAL, links.changed()).await;
        }
    }

    /// Waits until there is no connection. Returns whether that was the case within a time.
    pub(super) async fn is_away_within(&self, time: Duration) -> bool {
        let mut links = self.link.subscribe();
        timeout(time, links.wait_for(Option::is_none)).await.is_ok()
    }

    /// Waits for a connection, even if nothing can be published on it.
    pub(super) async fn wait_until_connected(&self) {
        // The sender is `self`.
        let _ = self.link.subscribe().wait_for(Option::is_some).await;
    }

    /// Notes that RabbitMQ has confirmed some records.
    pub(super) fn confirm(&self, records: usize) {
        self.has_failed.store(false, Ordering::Relaxed);
        self.condition.recover();
        self.condition.count_published(records as u64);
    }

    /// Notes a failure to publish. If the connection may be the reason, it is opened again.
    pub(super) fn fail(&self, link: &Link, error: &PublishError) {
        let reason = error.to_string();
        tracing::debug!(reason, "records could not be published");
        self.has_failed.store(true, Ordering::Relaxed);
        self.condition.fail(&reason);
        if let PublishError::TooLarge(Some(limit)) = error {
            self.max_payload.fetch_min(*limit, Ordering::Relaxed);
        }
        if !matches!(error, PublishError::Refused) {
            link.failure.send_replace(Some(reason));
        }
    }

    /// Returns the largest payload in bytes that RabbitMQ takes, as far as it is known.
    pub(super) fn max_payload(&self) -> usize {
        self.max_payload.load(Ordering::Relaxed)
    }

    /// Opens another connection, with a name that operators see.
    pub(super) async fn connect(&self, name: &str) -> lapin::Result<Connection> {
        self.address.connect(ConnectionProperties::default().with_connection_name(name.into())).await
    }
}

impl Link {
    async fn open(shared: &Shared) -> lapin::Result<Self> {
        let connection = shared.connect("opbeat intake").await?;
        let looks = connection.create_channel().await?;
        shared.address.declare(&looks).await?;
        let (direct, drain) = (connection.create_channel().await?, connection.create_channel().await?);
        for channel in [&direct, &drain] {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
        }
        Ok(Self { connection, direct, drain, looks, failure: watch::Sender::new(None) })
    }

    fn is_usable(&self) -> bool {
        let status = self.connection.status();
        status.connected() && !status.blocked() && self.failure.borrow().is_none()
    }

    /// Watches the connection until it must be opened again. Returns the reason.
    async fn watch(&self, shared: &Shared, outage: &mut Outage) -> String {
        let mut failure = self.failure.subscribe();
        let mut events = Box::pin(self.connection.events_listener());
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        let mut was_blocked = false;
        loop {
            let is_blocked = self.connection.status().blocked();
            tokio::select! {
                _ = ticks.tick() => {}
                // A publish that timed out on a blocked connection is no reason to open another one, which would be
                // blocked as well, and could not close this one.
                _ = failure.changed(), if !is_blocked => {}
                Some(event) = events.next() => if let Event::Error(error) = event { return error.to_string() },
            }
            let status = self.connection.status();
            if !status.connected() {
                return "the connection was lost".to_owned();
            }
            if status.blocked() {
                was_blocked = true;
                const REASON: &str = "RabbitMQ takes no records, since its memory or its disk is low";
                shared.condition.fail(REASON);
                outage.start(REASON);
                continue;
            }
            if let Some(reason) = self.failure.borrow().clone() {
                return reason;
            }
            if was_blocked {
                // Its channels may have records without a confirm.
                return "RabbitMQ takes records again".to_owned();
            }
            shared.condition.start_look();
            match timeout(ANSWER_TIMEOUT, shared.address.ready(&self.looks)).await {
                Ok(Ok(ready)) => shared.condition.set_ready(ready),
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "RabbitMQ does not answer".to_owned(),
            }
            match shared.condition.outage().filter(|_| shared.has_failed.load(Ordering::Relaxed)) {
                // A connection alone does not show that records are confirmed.
                Some(failure) => outage.start(&failure.reason),
                None => {
                    shared.condition.recover();
                    outage.end();
                }
            }
        }
    }

    async fn close(self: Arc<Self>) {
        // An error means that it is closed already.
        let _ = timeout(ANSWER_TIMEOUT, self.connection.close(200, "OK".into())).await;
    }
}

async fn keep_connected(shared: Arc<Shared>) {
    let mut outage = Outage::default();
    loop {
        let reason = match timeout(OPEN_TIMEOUT, Link::open(&shared)).await {
            Ok(Ok(link)) => {
                let link = Arc::new(link);
                shared.link.send_replace(Some(Arc::clone(&link)));
                let reason = link.watch(&shared, &mut outage).await;
                shared.link.send_replace(None);
                tokio::spawn(link.close());
                reason
            }
            Ok(Err(error)) => explain(&error, "RabbitMQ", "cacertfile=FILE").unwrap_or_else(|| error.to_string()),
            Err(_) => "RabbitMQ does not answer".to_owned(),
        };
        tracing::debug!(reason, "the connection to RabbitMQ is opened again");
        shared.condition.fail(&reason);
        outage.start(&reason);
        sleep(outage.delay()).await;
    }
}
