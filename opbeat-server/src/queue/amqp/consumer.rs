//! The end of the queue in RabbitMQ that the worker reads.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection};
use tokio::time::{Instant, timeout, timeout_at};

use super::super::batch::{Batch, Mark, Receipt, Record};
use super::super::error::SourceError;
use super::condition::BrokerCondition;
use super::link::{ANSWER_TIMEOUT, Connections, OPEN_TIMEOUT, Shared};
use super::publish::id_of;

/// The number of records that RabbitMQ sends before the first of them is acknowledged. It is also the largest number of
/// records in a batch.
const PREFETCH: u16 = 1_000;

/// The number of dead letters that RabbitMQ sends before the first of them is acknowledged.
const DEAD_PREFETCH: u16 = 16;

/// The number of bytes after which a batch is complete.
const MAX_BATCH: usize = 8 << 20;

/// The time that a batch waits for more records after its first one.
const LINGER: Duration = Duration::from_millis(5);

/// The time within which a lost connection is noticed. A failure without one is not an outage of RabbitMQ.
const NOTICE_TIME: Duration = Duration::from_secs(3);

/// The longest time that closing a connection may take. RabbitMQ gets its records back when it notices the end itself.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads records and dead letters, and acknowledges them after they are stored.
#[derive(Debug)]
pub(crate) struct Consumer {
    connections: Connections,
    connected: Option<Connected>,
    /// The records of the last batch, until it is acknowledged.
    in_hand: u64,
}

/// An open connection with the deliveries that wait for their batch.
struct Connected {
    number: u64,
    connection: Connection,
    records: Subscription,
    dead: Subscription,
}

/// The consumer of one queue. Each has a channel of its own, so that one acknowledgement covers all before it.
struct Subscription {
    channel: Channel,
    stream: lapin::Consumer,
    received: VecDeque<Delivery>,
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Consumer {
    /// Makes a consumer, which connects when it is read.
    pub(crate) const fn new(connections: Connections) -> Self {
        Self { connections, connected: None, in_hand: 0 }
    }

    /// Waits for the next records or dead letters, also through an outage of RabbitMQ.
    ///
    /// # Errors
    ///
    /// Returns an error if RabbitMQ can be reached, but cannot be consumed from.
    pub(crate) async fn next(&mut self) -> Result<Batch, SourceError> {
        loop {
            let was_connected = self.connected.is_some();
            let shared = Arc::clone(self.connections.shared());
            let error = match self.connected(&shared).await {
                Ok(connected) => match connected.collect().await {
                    Ok(()) => {
                        let batch = connected.batch();
                        self.in_hand = (batch.records.len() + batch.dead.len()) as u64;
                        self.count_held(0);
                        return Ok(batch);
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            self.disconnect().await;
            tracing::debug!(%error, "the consumer's connection to RabbitMQ has failed");
            // A connection can end while nobody reads it. The other one logs an outage.
            if !was_connected && !shared.is_away_within(NOTICE_TIME).await {
                return Err(error);
            }
        }
    }

    /// Acknowledges a batch, if its connection is still open.
    ///
    /// # Errors
    ///
    /// Returns an error if RabbitMQ will deliver its records again.
    pub(crate) async fn acknowledge(&mut self, receipt: &Receipt) -> Result<(), SourceError> {
        let stored = std::mem::take(&mut self.in_hand);
        self.count_held(stored);
        let Some(connected) = self.connected.as_ref().filter(|connected| connected.number == receipt.connection) else {
            return Ok(());
        };
        let acknowledged = timeout(ANSWER_TIMEOUT, connected.acknowledge(receipt)).await;
        let result = acknowledged.map_err(|_| SourceError::Timeout).and_then(|result| Ok(result?));
        if result.is_err() {
            self.disconnect().await;
        }
        result
    }

    /// Ends the connection. Records that were not acknowledged return to the queue.
    pub(crate) async fn close(mut self) {
        self.disconnect().await;
    }

    /// Returns the condition of RabbitMQ.
    pub(crate) fn condition(&self) -> &Arc<BrokerCondition> {
        &self.connections.shared().condition
    }

    async fn connected(&mut self, shared: &Shared) -> Result<&mut Connected, SourceError> {
        if self.connected.is_none() {
            shared.wait_until_connected().await;
            let opened = timeout(OPEN_TIMEOUT, Connected::open(shared)).await;
            self.connected = Some(opened.map_err(|_| SourceError::Timeout)??);
        }
        Ok(self.connected.as_mut().expect("it was set above"))
    }

    async fn disconnect(&mut self) {
        if let Some(Connected { connection, .. }) = self.connected.take() {
            // An error means that it is closed already.
            let _ = timeout(CLOSE_TIMEOUT, connection.close(200, "OK".into())).await;
        }
        self.count_held(0);
    }

    fn count_held(&self, stored: u64) {
        let waiting = self
            .connected
            .as_ref()
            .map_or(0, |connected| (connected.records.received.len() + connected.dead.received.len()) as u64);
        self.connections.shared().condition.set_held(self.in_hand + waiting, stored);
    }
}

impl Connected {
    async fn open(shared: &Shared) -> lapin::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let connection = shared.connect("opbeat worker").await?;
        let channel = connection.create_channel().await?;
        shared.address.declare(&channel).await?;
        let records = Subscription::open(channel, shared.address.intake(), PREFETCH).await?;
        let dead = connection.create_channel().await?;
        let dead = Subscription::open(dead, shared.address.dead(), DEAD_PREFETCH).await?;
        Ok(Self { number: NEXT.fetch_add(1, Ordering::Relaxed), connection, records, dead })
    }

    /// Waits until there are records or dead letters for a batch. Keeps what it has if it is cancelled.
    async fn collect(&mut self) -> Result<(), SourceError> {
        let mut deadline = None;
        loop {
            self.records.take_ready()?;
            self.dead.take_ready()?;
            let (records, dead) = (&self.records.received, &self.dead.received);
            let size: usize = records.iter().map(|delivery| delivery.data.len()).sum();
            if records.len() >= usize::from(PREFETCH) || size >= MAX_BATCH {
                return Ok(());
            }
            if !records.is_empty() || !dead.is_empty() {
                deadline.get_or_insert_with(|| Instant::now() + LINGER);
            }
            let received = async {
                tokio::select! {
                    received = self.records.receive() => received,
                    received = self.dead.receive() => received,
                }
            };
            match deadline {
                None => received.await?,
                Some(deadline) => match timeout_at(deadline, received).await {
                    Ok(received) => received?,
                    Err(_) => return Ok(()),
                },
            }
        }
    }

    /// Takes the next batch from what was received.
    fn batch(&mut self) -> Batch {
        let connection = self.number;
        let (records, records_tag) = self.records.take(MAX_BATCH);
        let (dead, dead_tag) = self.dead.take(MAX_BATCH);
        let receipt = Receipt { connection, records: records_tag, dead: dead_tag };
        Batch { records, dead, mark: Mark::Records, damage: None, receipt }
    }

    async fn acknowledge(&self, receipt: &Receipt) -> lapin::Result<()> {
        let options = BasicAckOptions { multiple: true };
        if let Some(tag) = receipt.records {
            self.records.channel.basic_ack(tag, options).await?;
        }
        if let Some(tag) = receipt.dead {
            self.dead.channel.basic_ack(tag, options).await?;
        }
        Ok(())
    }
}

impl Subscription {
    async fn open(channel: Channel, queue: ShortString, prefetch: u16) -> lapin::Result<Self> {
        channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
        let options = BasicConsumeOptions::default();
        let stream = channel.basic_consume(queue, "".into(), options, FieldTable::default()).await?;
        Ok(Self { channel, stream, received: VecDeque::new() })
    }

    /// Waits for a delivery.
    async fn receive(&mut self) -> Result<(), SourceError> {
        match self.stream.next().await {
            Some(delivery) => self.received.push_back(delivery?),
            // RabbitMQ cancels a consumer whose queue was removed.
            None => return Err(SourceError::Cancelled),
        }
        Ok(())
    }

    /// Takes the deliveries that have arrived.
    fn take_ready(&mut self) -> Result<(), SourceError> {
        while let Some(received) = self.receive().now_or_never() {
            received?;
        }
        Ok(())
    }

    /// Returns the first records, up to a size in bytes, and the tag of the last one.
    fn take(&mut self, max_size: usize) -> (Vec<Record>, Option<u64>) {
        let (mut records, mut tag, mut size) = (Vec::new(), None, 0);
        while size < max_size
            && let Some(delivery) = self.received.pop_front()
        {
            tag = Some(delivery.delivery_tag);
            size += delivery.data.len();
            records.push(Record { id: id_of(&delivery.properties), bytes: delivery.data });
        }
        (records, tag)
    }
}
