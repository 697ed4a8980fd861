//! Recorded exceptions, which become errors.

use opbeat_protocol::{ErrorBody, Exception, Machine, Stacktrace, Timestamp};
use serde_json::Map;
use sha2::{Digest, Sha256};

use super::attributes::Attributes;
use super::http::request;
use super::limit;
use super::messages::{Span, SpanKind};
use super::resource::Source;
use super::stacks::{Language, parse, split_type};
use super::transactions::{name, tags, user};
use crate::text::shortened;

/// The maximum length of a stack trace that is kept as text, in characters.
const MAX_RAW: usize = 10_000;

/// An exception with its stack.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Thrown {
    exception: Exception,
    stack: Option<Stacktrace>,
    /// The stack trace as text, if it cannot be parsed.
    raw: Option<String>,
}

impl Thrown {
    /// Returns whether attributes describe an exception.
    pub(super) fn is_in(attributes: Attributes<'_>) -> bool {
        attributes.long_text(&["exception.type", "exception.message", "exception.stacktrace"]).is_some()
    }

    /// Returns the exception that attributes describe, if they describe one.
    pub(super) fn of(attributes: Attributes<'_>, language: Option<Language>) -> Option<Self> {
        let full = attributes.text(&["exception.type"]);
        let value = attributes.text(&["exception.message"]);
        let text = attributes.long_text(&["exception.stacktrace"]);
        if !Self::is_in(attributes) {
            return None;
        }
        let separator = if language == Some(Language::Rust) { "::" } else { "." };
        let (module, type_name) = split_type(full.unwrap_or_default(), separator);
        let stack = parse(text.unwrap_or_default(), language);
        let has_frames = !stack.frames.is_empty();
        Some(Self {
            exception: Exception {
                type_name,
                value: value.unwrap_or_default().to_owned(),
                module,
                causes: stack.causes,
            },
            stack: has_frames.then_some(Stacktrace { frames: stack.frames }),
            raw: text.filter(|_| !has_frames).map(|text| shortened(text, MAX_RAW)),
        })
    }

    /// Returns a hash of the type and the message.
    pub(super) fn hash(&self) -> [u8; 8] {
        let Exception { type_name, value, module, .. } = &self.exception;
        let mut hasher = Sha256::new();
        for part in [module.as_deref().unwrap_or_default(), type_name, value] {
            hasher.update(part.as_bytes());
            hasher.update([0]);
        }
        let hash = hasher.finalize();
        std::array::from_fn(|index| hash[index])
    }

    /// Returns the type and the message in one line.
    fn line(&self) -> String {
        let Exception { type_name, value, .. } = &self.exception;
        match (type_name.is_empty(), value.is_empty()) {
            (true, _) => value.clone(),
            (false, true) => type_name.clone(),
            (false, false) => format!("{type_name}: {value}"),
        }
    }

    /// Puts the exception into an error. Its line is the message, unless the error has one.
    pub(super) fn put_into(self, body: &mut ErrorBody) {
        if body.message.is_empty() {
            body.message = self.line();
        }
        if let Some(raw) = self.raw {
            body.extra.get_or_insert_default().insert("stacktrace".to_owned(), raw.into());
        }
        if self.stack.is_some() {
            body.stacktrace = self.stack;
        }
        body.exception = Some(self.exception);
    }
}

/// Returns an error with the values that all errors of a source have.
pub(super) fn error_of(source: &Source) -> ErrorBody {
    ErrorBody {
        machine: source.host.clone().map(|hostname| Machine { hostname }),
        rev: source.release.clone(),
        tags: Some(tags(source)).filter(|tags| !tags.is_empty()),
        ..ErrorBody::default()
    }
}

/// Returns the values that all errors of a span have.
pub(super) fn span_error(span: &Span, source: &Source) -> ErrorBody {
    let attributes = Attributes(&span.attributes);
    let mut body = error_of(source);
    body.level = Some("error".to_owned());
    body.http = request(attributes).filter(|_| span.role() == SpanKind::Server);
    body.user = user(attributes);
    let mut extra = Map::new();
    extra.insert("span".to_owned(), shortened(&span.name, 200).into());
    body.extra = Some(extra);
    let function = attributes.text(&["code.function.name", "code.function"]).map(str::to_owned);
    body.culprit = Some(function.unwrap_or_else(|| name(span, attributes)));
    limit::error(&mut body);
    body
}

/// Returns the error of an exception that was recorded in a span, from the values of [`span_error`].
pub(super) fn event_error(of_span: &ErrorBody, thrown: Thrown, happened_at: Option<Timestamp>) -> ErrorBody {
    let mut body = of_span.clone();
    body.timestamp = happened_at;
    // The culprit of a stack is one of its frames.
    if thrown.stack.is_some() {
        body.culprit = None;
    }
    thrown.put_into(&mut body);
    limit::error(&mut body);
    body
}
