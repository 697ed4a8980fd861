//! Turns the body of `errors/` into an error that is ready to be grouped and shown.

use opbeat_protocol::ErrorBody;

use super::fingerprint;
use crate::changes::{Changes, NewError, to_json};
use crate::interpret::Origin;
use crate::interpret::context::plausible_time;
use crate::interpret::{browser, frames, scrub};
use crate::text::start_of;

/// The largest number of errors that one report can stand for. No agent counts more in one interval.
const MAX_OCCURRENCES: i64 = 10_000_000;

/// The maximum length of an error's id, in characters. A cut id could equal another one, so that longer ones are not used.
const MAX_ID: usize = 128;

/// The maximum length of a message, in characters. Longer messages are cut.
const MAX_MESSAGE: usize = 10_000;

/// Returns the changes of a body.
pub(in crate::interpret) fn changes(origin: &Origin, mut body: ErrorBody) -> Changes {
    browser::keep_names(origin, &mut body);
    frames::put_in_order(&mut body);
    frames::mark_application(&mut body);
    scrub::error(&mut body);
    cut_message(&mut body.message);
    let transaction = body.transaction.as_ref();
    let error = NewError {
        app_id: origin.app_id.clone(),
        fingerprint: fingerprint::of(&body),
        happened_at: plausible_time(origin, body.timestamp).micros(),
        type_name: body.exception.as_ref().map(|exception| exception.type_name.clone()).unwrap_or_default(),
        message: shown_message(&body),
        culprit: culprit(&body),
        occurrences: body.occurrences.map_or(1, |count| i64::try_from(count).unwrap_or(1).clamp(1, MAX_OCCURRENCES)),
        level: body.level.clone().unwrap_or_default(),
        transaction_name: transaction.map(|transaction| transaction.name.clone()).unwrap_or_default(),
        transaction_external_id: transaction.and_then(|transaction| transaction.id.clone()).unwrap_or_default(),
        external_id: external_id(&body),
        document: to_json(&body),
    };
    Changes { errors: vec![error], ..Changes::default() }
}

/// Returns the message that pages show beside the type.
///
/// The text of the exception is preferred, since the message of the body repeats the type.
fn shown_message(body: &ErrorBody) -> String {
    match &body.exception {
        Some(exception) if !exception.value.is_empty() => exception.value.clone(),
        _ => body.message.clone(),
    }
}

fn culprit(body: &ErrorBody) -> String {
    let given = body.culprit.clone().filter(|culprit| !culprit.is_empty());
    let transaction = || body.transaction.as_ref().map(|transaction| transaction.name.clone());
    given.or_else(|| frames::culprit(body)).or_else(transaction).unwrap_or_default()
}

fn cut_message(message: &mut String) {
    let end = start_of(message, MAX_MESSAGE).len();
    if end < message.len() {
        message.truncate(end);
        message.push('…');
    }
}

/// Returns the id by which the application's users can name the error, or an empty string.
///
/// The id is a segment of a path, so that it has no control characters and is no relative segment.
fn external_id(body: &ErrorBody) -> String {
    // The Node.js agent sends no `client_supplied_id`, and logs this id.
    let uuid = || body.extra.as_ref()?.get("uuid")?.as_str();
    let is_id = |id: &&str| {
        let is_short = !id.trim().is_empty() && start_of(id, MAX_ID) == *id;
        is_short && !id.contains(char::is_control) && !matches!(*id, "." | "..")
    };
    body.client_supplied_id.as_deref().filter(is_id).or_else(|| uuid().filter(is_id)).unwrap_or_default().to_owned()
}
