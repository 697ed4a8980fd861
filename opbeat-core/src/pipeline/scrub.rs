//! Secrets don't leave the process.

use std::borrow::Cow;

use crate::record::{ErrorRecord, RequestRecord, Stack, TransactionRecord, Value};
use crate::secrets::{REDACTED, Secrets};

/// Bytes of a message or a value that are kept.
const MAX_TEXT: usize = 8 * 1024;

/// Clears an error of secrets: in its words and those of its causes, in request, tags and extra values.
pub(super) fn error(record: &mut ErrorRecord, secrets: &Secrets) {
    scrub_text(&mut record.message, secrets);
    record.causes.iter_mut().for_each(|cause| scrub_text(&mut cause.message, secrets));
    scrub_request(&mut record.request, secrets);
    scrub_values(&mut record.tags, secrets);
    scrub_values(&mut record.extra, secrets);
    if let Stack::Frames(frames) = &mut record.stack {
        let lines = |frame: &mut crate::record::Frame| {
            let around = frame.pre_context.iter_mut().chain(&mut frame.post_context);
            around.chain(&mut frame.context_line).for_each(|line| scrub_text(line, secrets));
        };
        frames.iter_mut().for_each(lines);
    }
}

/// Clears a sampled transaction of secrets: its request, its values, and those of its spans.
pub(super) fn transaction(record: &mut TransactionRecord, secrets: &Secrets) {
    scrub_request(&mut record.request, secrets);
    scrub_values(&mut record.tags, secrets);
    scrub_values(&mut record.extra, secrets);
    for span in &mut record.spans {
        scrub_values(&mut span.extra, secrets);
    }
}

fn scrub_request(request: &mut Option<RequestRecord>, secrets: &Secrets) {
    let Some(old) = request else { return };
    let mut new = RequestRecord::default();
    new.set_line(&old.method(), &secrets.scrub(&old.target()));
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

fn scrub_values(values: &mut [(Cow<'static, str>, Value)], secrets: &Secrets) {
    for (name, value) in values {
        if secrets.is_secret(name) {
            *value = Value::from(REDACTED);
        } else if let Value::Text(text) = value {
            if let Cow::Owned(scrubbed) = secrets.scrub(text) {
                *text = Cow::Owned(scrubbed);
            }
            if text.len() > MAX_TEXT {
                cut(text.to_mut());
            }
        }
    }
}

fn scrub_text(text: &mut String, secrets: &Secrets) {
    cut(text);
    if let Cow::Owned(scrubbed) = secrets.scrub(text) {
        *text = scrubbed;
    }
}

/// Cuts a text to what is kept, and marks where.
fn cut(text: &mut String) {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}
