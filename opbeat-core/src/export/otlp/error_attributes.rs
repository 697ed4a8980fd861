//! The attributes of an error, for events and log records.

use std::fmt::Write;

use super::attributes::Attributes;
use super::stack_text::stack_text;
use crate::record::{ErrorRecord, Stack};

/// Returns the type of an error with its module; `None` for messages.
pub(super) fn full_type(record: &ErrorRecord) -> Option<String> {
    let type_name = record.type_name.as_ref()?;
    Some(record.module.as_ref().map_or_else(|| type_name.clone(), |module| format!("{module}::{type_name}")))
}

/// Sets the attributes of an error.
pub(super) fn set(record: &ErrorRecord, attributes: &mut Attributes) {
    attributes.set_some("exception.type", full_type(record));
    attributes.set("exception.message", record.message.as_str());
    attributes.set_some("exception.stacktrace", stack_trace(record));
    set_context(record, attributes);
}

/// Sets the values that are not part of the error itself.
pub(super) fn set_context(record: &ErrorRecord, attributes: &mut Attributes) {
    attributes.set("opbeat.error_id", record.id.to_string());
    attributes.set_some("opbeat.culprit", record.culprit.as_ref());
    attributes.set_some("opbeat.occurrences", Some(record.occurrences).filter(|occurrences| *occurrences > 1));
    if let Some(location) = &record.location {
        attributes.set("code.file.path", location.file.as_ref());
        attributes.set("code.line.number", location.line);
        attributes.set("code.column.number", location.column);
    }
    attributes.set_all(&record.tags);
    attributes.set_all(&record.extra);
}

/// Returns the stack, followed by the causes.
fn stack_trace(record: &ErrorRecord) -> Option<String> {
    let Stack::Frames(frames) = &record.stack else { return None };
    let mut text = stack_text(frames);
    for cause in &record.causes {
        // A string accepts all writes.
        let _ = writeln!(text, "Caused by: {}: {}", cause.type_name, cause.message);
    }
    (!text.is_empty()).then_some(text)
}
