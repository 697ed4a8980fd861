//! The outcome of an accepted request.

use opbeat_protocol::Timestamp;

use super::messages::Export;
use super::resource::Source;
use crate::changes::{BodyChanges, Changes, NoteAction, NoteKey, size};

/// The largest number of spans and errors that are stored of one request. The others are rejected.
const MAX_ITEMS: usize = 20_000;

/// The bytes that the changes of every request may take.
const MIN_BYTES: usize = 8 << 20;

/// The further bytes that the changes may take for each byte of the inflated request.
const BYTES_PER_BYTE: usize = 4;

/// A request of one signal.
pub(super) trait Telemetry: Export + Send + Sync + 'static {
    /// Returns the source of each resource in the request.
    fn sources(&self) -> Vec<Source>;

    /// Returns what the request changes.
    fn outcome(&self, request: &Request) -> Outcome;
}

/// A request's values besides its content.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// The id of the app that the token belongs to.
    pub(super) app_id: String,
    /// The size of the inflated request, in bytes.
    pub(super) size: usize,
    /// When the request was received.
    pub(super) received: Timestamp,
    /// The source of each resource, with the id of its app, or the reason why it has none.
    pub(super) destinations: Vec<(Source, Result<String, String>)>,
}

/// The changes of a request, and its rejected items.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The changes.
    pub(super) bodies: Vec<BodyChanges>,
    /// The number of rejected items.
    pub(super) rejected: i64,
    /// The reasons, and what to do.
    pub(super) reasons: Vec<String>,
    /// The number of items that can still be stored.
    left_items: usize,
    /// The bytes that the changes of further items can take.
    left_bytes: usize,
}

impl Outcome {
    /// Begins the outcome of a request.
    pub(super) fn new(request: &Request) -> Self {
        let left_bytes = request.size.saturating_mul(BYTES_PER_BYTE).saturating_add(MIN_BYTES);
        Self { bodies: Vec::new(), rejected: 0, reasons: Vec::new(), left_items: MAX_ITEMS, left_bytes }
    }

    /// Returns whether the request may have one more item. It is asked before the work for an item is done.
    pub(super) fn takes_item(&mut self) -> bool {
        if self.left_bytes == 0 || self.left_items == 0 {
            return false;
        }
        self.left_items -= 1;
        true
    }

    /// Returns whether the changes of an item are small enough. After the first that are not, all items are rejected.
    ///
    /// Values of a resource or a span are shared by many errors, so that changes can be much larger than the request.
    pub(super) fn takes_changes(&mut self, changes: &Changes) -> bool {
        // To write a document takes time for each byte of it, however small it is packed.
        let documents = changes.errors.iter().map(|error| error.json_size).sum::<usize>();
        let left = self.left_bytes.checked_sub(size(changes).saturating_add(documents));
        self.left_bytes = left.unwrap_or(0);
        left.is_some()
    }

    /// Returns why items are rejected, and what to do.
    pub(super) fn surplus_reason(&self) -> String {
        if self.left_bytes == 0 {
            "the spans and errors of a request take too much space; send smaller batches, and shorter attributes"
                .to_owned()
        } else {
            format!("a request has more than {MAX_ITEMS} spans and errors; send smaller batches")
        }
    }

    /// Counts values that are left out of items that are stored, and says why.
    pub(super) fn leave_out(&mut self, request: &Request, count: usize, note: &str, reason: &str) {
        if count > 0 {
            self.say(reason);
            self.note(request, NoteAction::Refused, count, note);
        }
    }

    fn say(&mut self, reason: &str) {
        if !self.reasons.iter().any(|known| known == reason) {
            self.reasons.push(reason.to_owned());
        }
    }

    /// Adds changes. The key is empty if they cannot arrive again by themselves.
    pub(super) fn add(&mut self, app_id: &str, received: Timestamp, idempotency_key: String, changes: Changes) {
        let received_at = received.micros();
        self.bodies.push(BodyChanges::new(app_id.to_owned(), idempotency_key, received_at, changes));
    }

    /// Rejects items, and counts them for the app of the token.
    pub(super) fn reject(&mut self, request: &Request, count: usize, note: &str, reason: &str) {
        if count == 0 {
            return;
        }
        self.rejected = self.rejected.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
        self.say(reason);
        self.note(request, NoteAction::Refused, count, note);
    }

    /// Counts items for the app of the token, by an action and its reason.
    pub(super) fn note(&mut self, request: &Request, action: NoteAction, count: usize, reason: &str) {
        if count == 0 {
            return;
        }
        let app_id = request.app_id.clone();
        let minute = request.received.minute().seconds();
        let key = NoteKey { app_id, minute, action, reason: reason.to_owned() };
        let notes = [(key, u64::try_from(count).unwrap_or(u64::MAX))].into();
        self.add(&request.app_id, request.received, String::new(), Changes { notes, ..Changes::default() });
    }
}
