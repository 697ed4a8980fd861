//! Removes secrets from records before they leave the process.

use std::borrow::Cow;

use crate::record::{
    BreakdownRecord, CheckInRecord, DurationGroup, ErrorRecord, Frame, RequestRecord, Stack, TransactionName,
    TransactionRecord, TransactionResult, User, Value,
};
use opbeat_secrets::{REDACTED, Secrets};

/// The largest number of bytes that are kept of a message or a value.
const MAX_TEXT: usize = 8 * 1024;

/// The largest number of bytes that are kept of a log line.
const MAX_LOG_LINE: usize = 500;

/// The number of further bytes that are searched, so that a secret is recognised even if its end is cut off.
const MARGIN: usize = 1024;

/// Removes secrets from an error: from its message, its causes, its request, user, tags and extra values, its
/// transaction and its source lines.
pub(super) fn error(record: &mut ErrorRecord, secrets: &Secrets) {
    scrub_text(&mut record.message, secrets);
    // The culprit of an error without a stack is the transaction's name.
    record.culprit.iter_mut().for_each(|culprit| scrub_text(culprit, secrets));
    record.causes.iter_mut().for_each(|cause| scrub_text(&mut cause.message, secrets));
    scrub_request(&mut record.request, secrets);
    scrub_values(&mut record.response_headers, secrets);
    scrub_user(&mut record.user, secrets);
    scrub_values(&mut record.tags, secrets);
    scrub_values(&mut record.extra, secrets);
    if let Some(transaction) = &mut record.transaction {
        scrub_text(&mut transaction.name, secrets);
        scrub_cow(&mut transaction.kind, secrets);
        transaction.result.iter_mut().for_each(|result| scrub_result(result, secrets));
    }
    for line in &mut record.log {
        scrub_text(&mut line.message, secrets);
        cut(&mut line.message, MAX_LOG_LINE);
    }
    if let Stack::Frames(frames) = &mut record.stack {
        frames.iter_mut().for_each(|frame| scrub_lines(frame, secrets));
    }
}

/// Removes secrets from a sampled transaction: from its name, kind and result, its request, user and values, and its
/// spans.
pub(super) fn transaction(record: &mut TransactionRecord, secrets: &Secrets) {
    scrub_name(&mut record.name, secrets);
    scrub_cow(&mut record.kind, secrets);
    scrub_result(&mut record.result, secrets);
    scrub_request(&mut record.request, secrets);
    scrub_values(&mut record.response_headers, secrets);
    scrub_user(&mut record.user, secrets);
    scrub_values(&mut record.tags, secrets);
    scrub_values(&mut record.extra, secrets);
    for span in &mut record.spans {
        scrub_cow(&mut span.signature, secrets);
        scrub_cow(&mut span.kind, secrets);
        scrub_values(&mut span.extra, secrets);
        span.frames.iter_mut().for_each(|frame| scrub_lines(frame, secrets));
    }
    record.dropped.iter_mut().for_each(|dropped| scrub_cow(&mut dropped.kind, secrets));
}

/// Removes secrets from the names that transactions are counted under, in the same way as from samples.
pub(super) fn counts(durations: &mut [DurationGroup], breakdown: &mut [BreakdownRecord], secrets: &Secrets) {
    for group in durations {
        scrub_text(&mut group.name, secrets);
        scrub_cow(&mut group.kind, secrets);
        scrub_result(&mut group.result, secrets);
    }
    for part in breakdown {
        scrub_text(&mut part.name, secrets);
        scrub_cow(&mut part.kind, secrets);
        scrub_cow(&mut part.span_kind, secrets);
    }
}

/// Removes secrets from the names of a scheduled job.
pub(super) fn check_in(record: &mut CheckInRecord, secrets: &Secrets) {
    scrub_text(&mut record.monitor, secrets);
    scrub_text(&mut record.schedule, secrets);
    record.time_zone.iter_mut().for_each(|time_zone| scrub_text(time_zone, secrets));
}

fn scrub_request(request: &mut Option<RequestRecord>, secrets: &Secrets) {
    let Some(old) = request else { return };
    let mut new = RequestRecord::default();
    new.set_line(&secrets.scrub(&old.method()), &secrets.scrub(&old.target()));
    new.set_client(old.client());
    for (name, value) in old.headers() {
        let value = match name.as_str() {
            "cookie" => Cow::Owned(secrets.cookies(&value)),
            name if secrets.is_secret(name) => Cow::Borrowed(REDACTED),
            _ => secrets.scrub(&value),
        };
        new.push_header(&name, value.as_bytes());
    }
    new.set_body(old.body().map(|body| secrets.scrub(body).into_owned()));
    *request = Some(new);
}

fn scrub_user(user: &mut Option<User>, secrets: &Secrets) {
    let Some(user) = user else { return };
    let parts = [&mut user.id, &mut user.username, &mut user.email];
    parts.into_iter().flatten().for_each(|part| scrub_text(part, secrets));
}

fn scrub_values(values: &mut [(Cow<'static, str>, Value)], secrets: &Secrets) {
    for (name, value) in values {
        match value {
            Value::Bool(_) => {}
            _ if secrets.is_secret(name) => *value = Value::from(REDACTED),
            Value::Text(text) => scrub_cow(text, secrets),
            Value::Integer(number) if is_card(*number, secrets) => *value = Value::from(REDACTED),
            _ => {}
        }
        scrub_cow(name, secrets);
    }
}

/// Returns whether an integer is a payment card number.
fn is_card(number: i64, secrets: &Secrets) -> bool {
    // Card numbers have at least 13 digits.
    const SMALLEST: i64 = 1_000_000_000_000;
    number >= SMALLEST && matches!(secrets.scrub(&number.to_string()), Cow::Owned(_))
}

fn scrub_name(name: &mut TransactionName, secrets: &Secrets) {
    if let Some(scrubbed) = scrubbed(&name.to_string(), secrets) {
        *name = scrubbed.into();
    }
}

fn scrub_result(result: &mut TransactionResult, secrets: &Secrets) {
    if let TransactionResult::Word(word) = result {
        scrub_cow(word, secrets);
    }
}

fn scrub_lines(frame: &mut Frame, secrets: &Secrets) {
    let around = frame.pre_context.iter_mut().chain(&mut frame.post_context);
    for line in around.chain(&mut frame.context_line) {
        cut(line, MAX_TEXT);
        if let Cow::Owned(scrubbed) = secrets.scrub_source(line) {
            *line = scrubbed;
        }
    }
}

fn scrub_cow(text: &mut Cow<'static, str>, secrets: &Secrets) {
    if let Some(scrubbed) = scrubbed(text, secrets) {
        *text = scrubbed.into();
    }
}

fn scrub_text(text: &mut String, secrets: &Secrets) {
    if let Some(scrubbed) = scrubbed(text, secrets) {
        *text = scrubbed;
    }
}

/// Returns the text without its secrets; `None` if it has none and is short enough.
///
/// The text beyond the margin is cut off before the search, because it is not kept anyway. The margin itself is cut off
/// after the search: the end of a secret in it may be missing, so that the secret is not recognised.
fn scrubbed(text: &str, secrets: &Secrets) -> Option<String> {
    let searched = &text[..text.floor_char_boundary(MAX_TEXT + MARGIN)];
    let mut scrubbed = secrets.scrub(searched);
    let is_cut = searched.len() < text.len();
    let kept = if is_cut { scrubbed.len().saturating_sub(MARGIN).min(MAX_TEXT) } else { MAX_TEXT };
    if is_cut || scrubbed.len() > kept {
        cut(scrubbed.to_mut(), kept);
    }
    match scrubbed {
        Cow::Borrowed(_) => None,
        Cow::Owned(scrubbed) => Some(scrubbed),
    }
}

/// Cuts a text to at most `kept` bytes, and appends `…` if it was longer.
fn cut(text: &mut String, kept: usize) {
    if text.len() > kept {
        text.truncate(text.floor_char_boundary(kept));
        text.push('…');
    }
}
