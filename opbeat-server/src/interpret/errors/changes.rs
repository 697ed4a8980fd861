//! Turns the body of `errors/` into an error that is ready to be grouped and shown.

use opbeat_protocol::read::Notes;
use opbeat_protocol::{ErrorBody, Timestamp};

use super::{culprit, fingerprint, user};
use crate::changes::{Changes, NewError, pack_json, to_json};
use crate::interpret::Origin;
use crate::interpret::origin::OTHER_TIME;
use crate::interpret::{browser, frames, scrub};
use crate::text::start_of;

/// The largest number of errors that one report can stand for. No agent counts more in one interval.
const MAX_OCCURRENCES: i64 = 10_000_000;

/// The maximum length of an error's id, in characters. A cut id could equal another one, so that longer ones are not used.
const MAX_ID: usize = 128;

/// The maximum length of a message, in characters. Longer messages are cut.
const MAX_MESSAGE: usize = 10_000;

/// The maximum length of a type, a culprit and a name, in characters. Longer ones are cut.
const MAX_NAME: usize = 500;

/// The maximum length of a level, in characters. Longer ones are cut.
const MAX_LEVEL: usize = 50;

const MINUTE: i64 = 60_000_000;

const DAY: i64 = 24 * 60 * MINUTE;

/// How far an agent's clock can be ahead of the receipt, in microseconds.
const MAX_AHEAD: i64 = 10 * MINUTE;

/// How old an error can be, in microseconds: agents keep errors for less while the server is away.
const MAX_AGE: i64 = 30 * DAY;

/// Returns the changes of a body.
pub(in crate::interpret) fn changes(origin: &Origin, mut body: ErrorBody, notes: &Notes) -> Changes {
    browser::keep_names(origin, &mut body);
    let order = frames::put_in_order(origin, &mut body);
    frames::mark_application(origin, &mut body);
    scrub::error(&mut body);
    cut_message(&mut body.message);
    let transaction = body.transaction.as_ref();
    let (fingerprint, grouping) = fingerprint::of(&body);
    let (document, json_size) = document(&body);
    let error = NewError {
        app_id: origin.app_id.clone(),
        fingerprint,
        grouping,
        happened_at: counted_at(origin, body.timestamp),
        type_name: body.exception.as_ref().map(|exception| name(&exception.type_name)).unwrap_or_default(),
        message: shown_message(&body),
        culprit: name(&culprit::culprit(&body, order)),
        occurrences: body.occurrences.map_or(1, |count| i64::try_from(count).unwrap_or(1).clamp(1, MAX_OCCURRENCES)),
        level: start_of(body.level.as_deref().unwrap_or_default(), MAX_LEVEL).to_owned(),
        transaction_name: transaction.map(|transaction| name(&transaction.name)).unwrap_or_default(),
        transaction_external_id: transaction
            .and_then(|transaction| transaction.id.as_deref())
            .map(name)
            .unwrap_or_default(),
        external_id: external_id(&body).to_owned(),
        span: None,
        notes: if notes.is_empty() { Vec::new() } else { to_json(&scrub::notes(notes)) },
        document,
        user: body.user.as_ref().and_then(user::user),
        json_size,
    };
    let is_moved = body.timestamp.is_some_and(|claimed| claimed.micros() != error.happened_at);
    let notes = is_moved.then(|| (origin.note(OTHER_TIME), 1));
    Changes { errors: vec![error], notes: notes.into_iter().collect(), ..Changes::default() }
}

/// Returns the document that is stored, and its size as JSON. The store refuses one that is too large to be packed.
fn document(body: &ErrorBody) -> (Vec<u8>, usize) {
    pack_json(body).unwrap_or_else(|_| {
        let json = to_json(body);
        let size = json.len();
        (json, size)
    })
}

/// Returns the time at which an error is counted: the time that the agent sent, or the time of receipt if the agent's
/// time is missing, in the future or older than the counts that are kept. The document keeps the agent's time.
fn counted_at(origin: &Origin, claimed: Option<Timestamp>) -> i64 {
    let received = origin.received.micros();
    let plausible = received.saturating_sub(MAX_AGE)..=received.saturating_add(MAX_AHEAD);
    claimed.map(Timestamp::micros).filter(|claimed| plausible.contains(claimed)).unwrap_or(received)
}

/// Returns the id by which users of the application can name the error, or an empty string.
///
/// Most agents send it as a field. The Node.js agent sends it as `uuid` among the extra values. The id is a segment of a
/// path, so that it has no control characters and is no relative segment.
fn external_id(body: &ErrorBody) -> &str {
    let is_id = |id: &&str| {
        let is_short = !id.trim().is_empty() && start_of(id, MAX_ID) == *id;
        is_short && !id.contains(char::is_control) && !matches!(*id, "." | "..")
    };
    let from_node = || body.extra.as_ref()?.get("uuid")?.as_str();
    body.client_supplied_id.as_deref().filter(is_id).or_else(|| from_node().filter(is_id)).unwrap_or_default()
}

/// Returns the message that pages show beside the type.
///
/// The text of the exception is preferred, since the message of the body repeats the type.
fn shown_message(body: &ErrorBody) -> String {
    let template = body.param_message.as_ref().and_then(|message| message.template());
    let query = body.query.as_ref().map(|query| query.query.as_str());
    let exception = body.exception.as_ref().map(|exception| exception.value.as_str());
    let texts = [exception, Some(&body.message), template, query];
    let text = texts.into_iter().flatten().find(|text| !text.is_empty()).unwrap_or_default();
    start_of(text, MAX_MESSAGE).to_owned()
}

fn name(name: &str) -> String {
    start_of(name, MAX_NAME).to_owned()
}

fn cut_message(message: &mut String) {
    let end = start_of(message, MAX_MESSAGE).len();
    if end < message.len() {
        message.truncate(end);
        message.push('…');
    }
}
