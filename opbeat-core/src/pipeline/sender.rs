//! The thread that talks to the exporter.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::outbox::Outbox;
use super::{Batch, Build, ExportError, Exporter};
use crate::caught::caught;
use crate::notice;

/// The longest time between two attempts.
const MAX_DELAY: Duration = Duration::from_secs(36);

/// Starts the thread. It ends when the outbox is closed.
pub(super) fn spawn(exporter: impl Exporter, outbox: Arc<Outbox>) -> std::io::Result<()> {
    thread::Builder::new().name("opbeat-sender".to_owned()).spawn(move || run(exporter, &outbox)).map(drop)
}

fn run(mut exporter: impl Exporter, outbox: &Outbox) {
    let mut outage = Outage::default();
    caught(|| greet(&mut exporter, &mut outage));
    while let Some(batch) = outbox.next() {
        let lost = batch.everything();
        if caught(|| deliver(&mut exporter, batch, &mut outage, outbox)).is_none() {
            outbox.abandoned(lost);
        }
    }
}

/// An exporter that panics loses its batch, and not the thread.
fn deliver(exporter: &mut impl Exporter, mut batch: Batch, outage: &mut Outage, outbox: &Outbox) {
    match caught(|| exporter.export(&mut batch)) {
        Some(Ok(())) => {
            outage.end();
            outbox.delivered();
        }
        Some(Err(error)) => {
            let delay = outage.note(&error);
            outbox.failed(batch, &error, delay);
        }
        None => {
            notice::error(format_args!("the exporter panicked; what it was to deliver is lost"));
            outbox.abandoned(batch.everything());
        }
    }
}

/// Tells at the start what works and what does not, so that nobody has to wait for an error to find out.
fn greet(exporter: &mut impl Exporter, outage: &mut Outage) {
    match caught(|| exporter.probe()) {
        Some(Ok(Some(found))) => notice::info(format_args!("{found}; {}", Build::of_this_process())),
        Some(Ok(None)) => {}
        Some(Err(error)) => {
            outage.note(&error);
        }
        None => notice::error(format_args!("the exporter panicked when it was asked whether it works")),
    }
}

/// A run of failed attempts. It is told once, at its start, and once at its end.
#[derive(Default)]
struct Outage {
    failures: u32,
}

impl Outage {
    /// Notes a failure and returns how long to wait: the square of the number of failures in seconds, as Opbeat's
    /// agents wait, less up to a fifth at random so that the instances of an application don't come all at once.
    fn note(&mut self, error: &ExportError) -> Duration {
        self.failures += 1;
        if self.failures == 1 {
            notice::warn(format_args!("{error}"));
        }
        let delay = Duration::from_secs(u64::from(self.failures).pow(2)).min(MAX_DELAY);
        error.retry_after.unwrap_or_else(|| delay.mul_f64(1.0 - 0.2 * fastrand::f64()))
    }

    fn end(&mut self) {
        if self.failures > 0 {
            notice::info(format_args!("delivery works again, after {} failed attempts", self.failures));
            self.failures = 0;
        }
    }
}
