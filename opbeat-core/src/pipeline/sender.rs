//! The thread that talks to the exporter.

use std::sync::Arc;
use std::thread;

use super::outage::Outage;
use super::outbox::Outbox;
use super::refusal::Refusals;
use super::{Batch, Build, Contact, ExportError, Exporter};
use crate::caught::caught;
use crate::notice;

/// Starts the thread. It ends when the outbox is closed.
pub(super) fn spawn(exporter: impl Exporter, outbox: Arc<Outbox>) -> std::io::Result<()> {
    let sender = Sender { exporter, outage: Outage::default(), refusals: Refusals::default(), has_greeted: false };
    thread::Builder::new().name("opbeat-sender".to_owned()).spawn(move || sender.run(&outbox)).map(drop)
}

struct Sender<E> {
    exporter: E,
    outage: Outage,
    refusals: Refusals,
    has_greeted: bool,
}

impl<E: Exporter> Sender<E> {
    fn run(mut self, outbox: &Outbox) {
        caught(|| {
            if let Some(error) = self.greet() {
                self.outage.note(&error);
            }
        });
        while let Some(batch) = outbox.next() {
            let contents = batch.contents();
            if caught(|| self.send(batch, outbox)).is_none() {
                outbox.abandoned(contents);
            }
        }
    }

    fn send(&mut self, mut batch: Batch, outbox: &Outbox) {
        let attempted = self.attempt(&mut batch);
        let refusal = batch.take_refusal();
        if let Some(refusal) = &refusal {
            outbox.refused(refusal);
            if !refusal.lost.is_empty() {
                self.refusals.note(refusal);
            }
        }
        match attempted {
            Ok(()) => {
                self.outage.end();
                if refusal.is_none() {
                    self.refusals.calm_down();
                }
                outbox.delivered();
                // What the start could not tell is told now, or never: deliveries work, and that is what counts.
                self.greet();
                self.has_greeted = true;
            }
            Err(error) => {
                let delay = self.outage.note(&error);
                outbox.failed(batch, &error, delay);
            }
        }
    }

    /// An exporter that panics loses its batch, and not the thread.
    fn attempt(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        caught(|| self.exporter.export(batch)).unwrap_or_else(|| {
            batch.refuse_all("the exporter panicked");
            Ok(())
        })
    }

    /// Tells once what works and what does not, so that nobody has to wait for an error to find out. Returns why nothing
    /// works yet.
    fn greet(&mut self) -> Option<ExportError> {
        if self.has_greeted {
            return None;
        }
        match caught(|| self.exporter.probe()) {
            Some(Ok(contact)) => contact.iter().for_each(welcome),
            Some(Err(error)) => return Some(error),
            None => notice::error(format_args!("the exporter panicked when it was asked whether it works")),
        }
        self.has_greeted = true;
        None
    }
}

/// Warns where it is not sure that what answers is a server of ours.
fn welcome(contact: &Contact) {
    let build = Build::of_this_process();
    if contact.is_reached.is_some() && contact.is_token_accepted.is_none() {
        notice::warn(format_args!("{contact}; {build}"));
    } else {
        notice::info(format_args!("{contact}; {build}"));
    }
}
