//! The limits of texts, which are those of the agents' own bodies.
//!
//! Values are shared: a span's attributes become part of each of its errors. Texts are therefore cut before they are
//! copied.

use opbeat_protocol::read::ReadLimits;
use opbeat_protocol::{ErrorBody, Exception, Frame, SampleContext, Stacktrace};
use serde_json::{Map, Value};

use crate::text::{shortened, start_of};

/// Cuts a text to `max` characters.
fn cut(text: &mut String, max: usize) {
    if start_of(text, max).len() < text.len() {
        *text = shortened(text, max);
    }
}

fn cut_each<'a>(texts: impl IntoIterator<Item = &'a mut Option<String>>, max: usize) {
    texts.into_iter().flatten().for_each(|text| cut(text, max));
}

/// Cuts the texts of an error.
pub(super) fn error(body: &mut ErrorBody) {
    let limits = &ReadLimits::default();
    cut(&mut body.message, limits.message);
    cut_each([&mut body.level, &mut body.logger, &mut body.rev, &mut body.environment], limits.word);
    cut_each([&mut body.culprit], limits.culprit);
    body.machine.iter_mut().for_each(|machine| cut(&mut machine.hostname, limits.word));
    body.exception.iter_mut().for_each(|thrown| exception(thrown, limits));
    if let Some(Stacktrace { frames }) = &mut body.stacktrace {
        frames.iter_mut().for_each(|call| frame(call, limits));
    }
    [&mut body.http, &mut body.user, &mut body.extra, &mut body.tags]
        .into_iter()
        .flatten()
        .for_each(|map| entries(map, limits));
}

/// Cuts the texts of a sample's context.
pub(super) fn context(context: &mut SampleContext) {
    let limits = &ReadLimits::default();
    let ids = [&mut context.id, &mut context.trace_id, &mut context.parent, &mut context.parent_span];
    cut_each(ids, limits.word);
    cut_each([&mut context.outcome, &mut context.rev], limits.word);
    if let Some(Value::String(result)) = &mut context.result {
        cut(result, limits.word);
    }
    [&mut context.http, &mut context.user, &mut context.tags, &mut context.extra]
        .into_iter()
        .flatten()
        .for_each(|inner| value(inner, limits.text, limits));
}

/// Cuts the name of a transaction or of a span.
pub(super) fn name(name: &mut String) {
    cut(name, ReadLimits::default().name);
}

/// Cuts the texts of a span's further values.
pub(super) fn extra(extra: &mut Map<String, Value>) {
    entries(extra, &ReadLimits::default());
}

fn exception(thrown: &mut Exception, limits: &ReadLimits) {
    cut(&mut thrown.type_name, limits.type_name);
    cut(&mut thrown.value, limits.message);
    cut_each([&mut thrown.module], limits.path);
    // Parsers of stacks give causes no causes of their own.
    for cause in &mut thrown.causes {
        cut(&mut cause.type_name, limits.type_name);
        cut(&mut cause.value, limits.message);
        cut_each([&mut cause.module], limits.path);
    }
}

fn frame(call: &mut Frame, limits: &ReadLimits) {
    cut(&mut call.filename, limits.path);
    cut_each([&mut call.abs_path, &mut call.function, &mut call.module], limits.path);
    cut_each([&mut call.context_line], limits.source_line);
}

/// Names and numbers of entries are limited where maps are made of attributes.
fn entries(map: &mut Map<String, Value>, limits: &ReadLimits) {
    for (key, inner) in map {
        value(inner, if key == "sql" { limits.sql } else { limits.text }, limits);
    }
}

fn value(inner: &mut Value, max: usize, limits: &ReadLimits) {
    match inner {
        Value::String(text) => cut(text, max),
        Value::Array(items) => items.iter_mut().for_each(|item| value(item, limits.text, limits)),
        Value::Object(map) => entries(map, limits),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
