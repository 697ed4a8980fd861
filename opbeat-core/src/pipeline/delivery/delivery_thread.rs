//! The thread that calls the exporter.

use std::sync::Arc;
use std::thread;

use super::outage::Outage;
use super::outbox::Outbox;
use super::rejections::RejectionSeries;
use super::{Batch, Build, Contact, ExportError, Exporter};
use crate::caught::caught;
use crate::notice;

/// Starts the delivery thread. It ends when the outbox is closed.
pub(super) fn spawn(exporter: impl Exporter, outbox: Arc<Outbox>) -> std::io::Result<()> {
    let (outage, rejections) = (Outage::default(), RejectionSeries::default());
    let thread = DeliveryThread { exporter, outage, rejections, has_probed: false };
    thread::Builder::new().name("opbeat-delivery".to_owned()).spawn(move || thread.run(&outbox)).map(drop)
}

struct DeliveryThread<E> {
    exporter: E,
    outage: Outage,
    rejections: RejectionSeries,
    has_probed: bool,
}

impl<E: Exporter> DeliveryThread<E> {
    fn run(mut self, outbox: &Outbox) {
        caught(|| {
            if let Some(error) = self.probe() {
                self.outage.note(&error);
            }
        });
        while let Some(batch) = outbox.next() {
            let contents = batch.contents();
            if caught(|| self.deliver(batch, outbox)).is_none() {
                outbox.drop_in_flight(contents);
            }
        }
    }

    fn deliver(&mut self, mut batch: Batch, outbox: &Outbox) {
        let exported = self.export(&mut batch);
        let rejection = batch.take_rejection();
        if let Some(rejection) = &rejection {
            outbox.add_rejection(rejection);
            if !rejection.dropped.is_empty() {
                self.rejections.add(rejection);
            }
        }
        match exported {
            Ok(()) => {
                self.outage.end();
                if rejection.is_none() {
                    self.rejections.note_delivery();
                }
                outbox.set_delivered();
                // If the check at the start failed, it is repeated once. After that, the working delivery is proof
                // enough.
                self.probe();
                self.has_probed = true;
            }
            Err(error) => {
                let delay = self.outage.note(&error);
                outbox.return_failed(batch, &error, delay);
            }
        }
    }

    /// Calls the exporter. If it panics, the batch is dropped, and the thread goes on.
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        caught(|| self.exporter.export(batch)).unwrap_or_else(|| {
            batch.reject_all("the exporter panicked");
            Ok(())
        })
    }

    /// Checks once whether deliveries work, and logs the result, so that a wrong setting shows before the first error.
    /// Returns an error if they do not work yet.
    fn probe(&mut self) -> Option<ExportError> {
        if self.has_probed {
            return None;
        }
        match caught(|| self.exporter.probe()) {
            Some(Ok(contact)) => contact.iter().for_each(log_contact),
            Some(Err(error)) => return Some(error),
            None => notice::error(format_args!("the exporter panicked in `probe`; deliveries start unchecked")),
        }
        self.has_probed = true;
        None
    }
}

/// Logs a warning if the program at the server's address may not be an Opbeat server, and the contact otherwise.
fn log_contact(contact: &Contact) {
    if contact.is_reached.is_some() && contact.is_token_accepted.is_none() {
        return notice::warn(format_args!("{contact}"));
    }
    notice::info(format_args!("{contact}"));
    if !notice::shows_info() {
        return;
    }
    // Reading the program's debug information takes a tenth of a second, for which no delivery may wait: a short job
    // ends before.
    let started = thread::Builder::new().name("opbeat-build".to_owned()).spawn(|| {
        let build = Build::of_this_process();
        if !build.is_best() {
            notice::info(format_args!("{build}"));
        }
    });
    // A system that starts no more threads has more important problems, and `Agent::diagnose` shows the same.
    let _ = started;
}
