//! The outcome of an accepted request.

use opbeat_protocol::Timestamp;

use super::messages::Export;
use super::resource::Source;
use crate::changes::{BodyChanges, Changes, NoteAction, NoteKey};

/// The largest number of spans, or of log records, that are stored of one request. The others are rejected.
pub(super) const MAX_ITEMS: usize = 20_000;

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
    /// When the request was received.
    pub(super) received: Timestamp,
    /// The source of each resource, with the id of its app, or the reason why it has none.
    pub(super) destinations: Vec<(Source, Result<String, String>)>,
}

/// The changes of a request, and its rejected items.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The changes.
    pub(super) bodies: Vec<BodyChanges>,
    /// The number of rejected items.
    pub(super) rejected: i64,
    /// The reasons, and what to do.
    pub(super) reasons: Vec<String>,
}

impl Outcome {
    /// Adds changes. The key is empty if they cannot arrive again by themselves.
    pub(super) fn add(&mut self, app_id: &str, received: Timestamp, idempotency_key: String, changes: Changes) {
        let received_at = received.micros();
        self.bodies.push(BodyChanges { app_id: app_id.to_owned(), idempotency_key, received_at, changes });
    }

    /// Rejects items, and counts them for the app of the token.
    pub(super) fn reject(&mut self, request: &Request, count: usize, note: &str, reason: &str) {
        if count == 0 {
            return;
        }
        self.rejected = self.rejected.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
        if !self.reasons.iter().any(|known| known == reason) {
            self.reasons.push(reason.to_owned());
        }
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
