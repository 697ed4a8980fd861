//! From the body of `errors/` to an error that is ready to be grouped and shown.

mod fingerprint;
mod frames;

use opbeat_protocol::ErrorBody;

use super::{scrub, time};
use crate::queue::Envelope;
use crate::store::{Changes, NewError};

/// No agent counts more errors in one interval: a number beyond this one is a mistake.
const MAX_OCCURRENCES: i64 = 10_000_000;

/// Longer messages are cut.
const MAX_MESSAGE: usize = 10_000;

/// Returns what a body changes.
pub(super) fn changes(envelope: &Envelope, mut body: ErrorBody) -> Changes {
    frames::put_in_order(&mut body);
    frames::mark_application(&mut body);
    scrub::error(&mut body);
    cut(&mut body.message);
    let error = NewError {
        app_id: envelope.app_id.clone(),
        fingerprint: fingerprint::of(&body),
        happened_at: time::plausible(body.timestamp, envelope.received()).micros(),
        type_name: body.exception.as_ref().map(|exception| exception.type_name.clone()).unwrap_or_default(),
        message: shown_message(&body),
        culprit: culprit(&body),
        occurrences: body.occurrences.map_or(1, |count| i64::try_from(count).unwrap_or(1).clamp(1, MAX_OCCURRENCES)),
        document: body,
    };
    Changes { errors: vec![error], ..Changes::default() }
}

/// Beside its type, an exception's own words say more than the message that repeats the type.
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

fn cut(message: &mut String) {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
        message.truncate(end);
        message.push('…');
    }
}
