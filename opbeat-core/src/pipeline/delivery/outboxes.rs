//! The outboxes of all exporters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::outbox::{FlushTicket, Outbox};
use super::{Batch, Exporter, FlushError, delivery_thread};
use crate::record::Drops;

/// One outbox for each exporter, with a delivery thread of its own: an exporter that fails or hangs neither delays nor
/// loses the data of another one.
#[derive(Clone)]
pub(in crate::pipeline) struct Outboxes(Arc<[Arc<Outbox>]>);

impl Outboxes {
    /// Makes the outboxes and starts the delivery threads. They end when the outboxes are closed.
    ///
    /// # Errors
    ///
    /// Returns an error if the system starts no more threads. The threads that it did start have ended then.
    pub(in crate::pipeline) fn start(exporters: Vec<Box<dyn Exporter>>) -> std::io::Result<Self> {
        let all = Self(exporters.iter().map(|_| Arc::default()).collect());
        for (exporter, outbox) in exporters.into_iter().zip(all.0.iter()) {
            delivery_thread::spawn(exporter, Arc::clone(outbox)).inspect_err(|_| all.close())?;
        }
        Ok(all)
    }

    /// Adds the batch, with each outbox's own count of drops, unless it is empty. Returns whether this dropped
    /// transactions or errors of an outbox for the first time since its last delivery: the caller logs that once.
    pub(in crate::pipeline) fn push(&self, batch: Batch) -> bool {
        let Some((last, others)) = self.0.split_last() else { return false };
        let mut is_first = false;
        let mut push = |outbox: &Outbox, mut batch: Batch| {
            batch.drops = outbox.take_unsent_drops();
            is_first |= !batch.is_empty() && outbox.push(batch);
        };
        others.iter().for_each(|outbox| push(outbox, batch.clone()));
        push(last, batch);
        is_first
    }

    /// Counts drops, which concern all exporters.
    pub(in crate::pipeline) fn add_drops(&self, drops: Drops) {
        self.0.iter().for_each(|outbox| outbox.add_drops(drops));
    }

    /// Returns the drops since the start: of each kind, those of the exporter that lost the most.
    pub(in crate::pipeline) fn total_drops(&self) -> Drops {
        self.0.iter().map(|outbox| outbox.total_drops()).fold(Drops::default(), largest)
    }

    /// Requests a flush of all. Returns a ticket for each.
    pub(in crate::pipeline) fn request_flush(&self) -> Result<Vec<FlushTicket>, FlushError> {
        self.0.iter().map(|outbox| outbox.request_flush()).collect()
    }

    /// Returns the number of the last requested flush.
    ///
    /// The first outbox counts. Flushes that are requested at the same moment may have other numbers in the others, but
    /// each of them waits for the first outbox before the others, and the data is in all outboxes then.
    pub(in crate::pipeline) fn requested_flush(&self) -> u64 {
        self.0.first().map_or(0, |outbox| outbox.requested_flush())
    }

    /// Notes that everything recorded before this flush was requested is in the outboxes.
    pub(in crate::pipeline) fn set_flushed(&self, number: u64) {
        self.0.iter().for_each(|outbox| outbox.set_flushed(number));
    }

    /// Waits for each outbox until its data is delivered, an attempt has failed, or the deadline passes. A failure of
    /// one does not end the wait for the others. Returns the first error.
    pub(in crate::pipeline) fn wait_for(
        &self,
        tickets: Vec<FlushTicket>,
        deadline: Instant,
        timeout: Duration,
    ) -> Result<(), FlushError> {
        let waits = self.0.iter().zip(tickets).map(|(outbox, ticket)| outbox.wait_for(ticket, deadline, timeout));
        waits.fold(Ok(()), Result::and)
    }

    /// Lets the delivery threads end after the batches in flight.
    pub(in crate::pipeline) fn close(&self) {
        self.0.iter().for_each(|outbox| outbox.close());
    }
}

/// Returns the larger number of each kind.
fn largest(one: Drops, other: Drops) -> Drops {
    Drops {
        errors: one.errors.max(other.errors),
        transactions: one.transactions.max(other.transactions),
        samples: one.samples.max(other.samples),
        spans: one.spans.max(other.spans),
        rejected: one.rejected.max(other.rejected),
    }
}
