//! Publishes the records of the spool.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::super::message::Message;
use super::super::spool::{SpoolReader, Spooled};
use super::link::Shared;
use super::publish::{PublishError, publish};

/// The longest time that RabbitMQ may take to confirm some records of the spool. No request waits for them, and another
/// attempt publishes them again: so it is long. A dead connection is noticed before.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(60);

/// The time between two attempts while RabbitMQ refuses records or the disk fails.
const PAUSE: Duration = Duration::from_secs(1);

/// Publishes the records of the spool in order, until the spool is closed. Records are released after they are confirmed.
pub(super) async fn run(shared: Arc<Shared>, mut reader: SpoolReader) {
    loop {
        match reader.next().await {
            Ok(Some(spooled)) => drain(&shared, &reader, spooled).await,
            Ok(None) => return,
            Err(error) => {
                tracing::error!(%error, "the spool cannot be read; reading is tried again");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Publishes some records. Returns only after they are confirmed or set aside, however long that takes.
async fn drain(shared: &Shared, reader: &SpoolReader, mut spooled: Spooled) {
    loop {
        let (link, queue) = (shared.wait_until_usable().await, shared.address.intake());
        let published = publish(&link.drain, &queue, &spooled.messages);
        match timeout(CONFIRM_TIMEOUT, published).await.unwrap_or(Err(PublishError::Timeout)) {
            Ok(()) => break,
            Err(error @ PublishError::TooLarge(limit)) => {
                set_aside(reader, &mut spooled.messages, limit).await;
                shared.fail(&link, &error);
            }
            Err(error) => {
                shared.fail(&link, &error);
                sleep(PAUSE).await;
            }
        }
    }
    shared.confirm(spooled.messages.len());
    match reader.release(&spooled) {
        Ok(bytes) => shared.condition.count_drained(bytes),
        Err(error) => tracing::warn!(%error, "published records of the spool cannot be removed; they may come twice"),
    }
}

/// Sets the records aside that are too large for RabbitMQ, so that they do not stop the ones behind them.
async fn set_aside(reader: &SpoolReader, messages: &mut Vec<Message>, limit: Option<usize>) {
    let largest = messages.iter().map(|message| message.payload.len()).max().unwrap_or_default();
    // RabbitMQ has refused at least one of them.
    let limit = limit.unwrap_or(usize::MAX).min(largest.saturating_sub(1));
    while let Some(at) = messages.iter().position(|message| message.payload.len() > limit) {
        match reader.set_aside(&messages[at], limit) {
            Ok(()) => drop(messages.remove(at)),
            Err(error) => {
                tracing::error!(%error, "a record that is too large for RabbitMQ cannot be set aside; it is tried again");
                sleep(PAUSE).await;
            }
        }
    }
}
