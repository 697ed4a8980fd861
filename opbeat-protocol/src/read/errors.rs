//! Readers of the parts of an error.

use serde::de::{MapAccess, SeqAccess};
use serde_json::Value;

use super::context::At;
use super::frames::{TakeStacktrace, TakeTemplate};
use super::notes::Oddity;
use super::prose::Prose;
use super::scalars::{Text, Time, Whole, copy_text};
use super::take::{Entries, List, Number, Take, skip_elements, skip_entries};
use super::untyped::{Object, Untyped};
use crate::errors::{ErrorBody, Exception, ParamMessage, Query, TransactionReference};
use crate::fields::Machine;

/// The body of `errors/`.
#[derive(Clone, Copy)]
pub(super) struct TakeError;

impl Take for TakeError {
    type Out = ErrorBody;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<ErrorBody>, A::Error> {
        let limits = at.limits();
        let word = Text(limits.word);
        let mut message = None;
        let mut body = ErrorBody::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            let key = &*key;
            match key {
                "message" => entries.field(key, Prose(limits.message), &mut message),
                "timestamp" => entries.field(key, Time, &mut body.timestamp),
                "level" => entries.field(key, word, &mut body.level),
                "logger" => entries.field(key, word, &mut body.logger),
                "culprit" => entries.field(key, Text(limits.culprit), &mut body.culprit),
                "machine" => entries.field(key, TakeMachine, &mut body.machine),
                "client_supplied_id" => entries.field(key, word, &mut body.client_supplied_id),
                "exception" => entries.field(key, TakeException, &mut body.exception),
                "param_message" => entries.field(key, TakeParamMessage, &mut body.param_message),
                "stacktrace" => entries.field(key, TakeStacktrace, &mut body.stacktrace),
                "template" => entries.field(key, TakeTemplate, &mut body.template),
                "query" => entries.field(key, TakeQuery, &mut body.query),
                "http" => entries.field(key, Object::Http, &mut body.http),
                "user" => entries.field(key, Object::User, &mut body.user),
                "extra" => entries.field(key, Object::Extra, &mut body.extra),
                "tags" => entries.field(key, Object::Tags, &mut body.tags),
                "transaction" => entries.field(key, TakeTransactionReference, &mut body.transaction),
                "rev" => entries.field(key, word, &mut body.rev),
                "environment" => entries.field(key, word, &mut body.environment),
                "occurrences" => entries.field(key, Whole(limits.count), &mut body.occurrences),
                _ => entries.skip(),
            }?;
        }
        body.message = message.unwrap_or_default();
        Ok(Some(body))
    }
}

/// The machine: an object, or the host name itself.
#[derive(Clone, Copy)]
pub(super) struct TakeMachine;

impl Take for TakeMachine {
    type Out = Machine;

    fn text(self, at: At<'_>, text: &str) -> Option<Machine> {
        at.note(Oddity::WrongType);
        let hostname = Text(at.limits().word).text(at, text)?;
        Some(Machine { hostname })
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Machine>, A::Error> {
        let mut hostname = None;
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "hostname" => entries.field("hostname", Text(at.limits().word), &mut hostname)?,
                _ => entries.skip()?,
            }
        }
        Ok(hostname.map(|hostname| Machine { hostname }))
    }
}

/// An exception: an object, a text such as `KeyError: 'a'`, or an array of exceptions of which each caused the one
/// before it.
#[derive(Clone, Copy)]
struct TakeException;

impl Take for TakeException {
    type Out = Exception;

    fn text(self, at: At<'_>, text: &str) -> Option<Exception> {
        at.note(Oddity::WrongType);
        let is_type = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
        let (type_name, value) = text.split_once(": ").filter(|(name, _)| is_type(name)).unwrap_or(("", text));
        Some(Exception {
            type_name: copy_text(at, type_name, at.limits().type_name)?,
            value: copy_text(at, value, at.limits().message)?,
            ..Exception::default()
        })
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<Exception>, A::Error> {
        at.note(Oddity::WrongType);
        if at.is_too_deep() {
            at.note(Oddity::TooDeep);
            skip_elements(&mut array)?;
            return Ok(None);
        }
        let budget = Some(&at.context.causes);
        let list = List { budget, ..List::new(Self, at.limits().causes) };
        let Some(exceptions) = list.array(at, array)? else { return Ok(None) };
        let mut exceptions = exceptions.into_iter();
        let first = exceptions.next();
        Ok(first.map(|mut first| {
            first.causes.extend(exceptions);
            first
        }))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, mut object: A) -> Result<Option<Exception>, A::Error> {
        if at.is_too_deep() {
            at.note(Oddity::TooDeep);
            skip_entries(&mut object)?;
            return Ok(None);
        }
        let limits = at.limits();
        let (mut type_name, mut value, mut module, mut causes) = (None, None, None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "type" => entries.field("type", Prose(limits.type_name), &mut type_name)?,
                "value" => entries.field("value", Prose(limits.message), &mut value)?,
                "module" => entries.field("module", Text(limits.path), &mut module)?,
                "causes" => {
                    let budget = Some(&at.context.causes);
                    let list = List { budget, ..List::new(Self, limits.causes) };
                    entries.field("causes", list, &mut causes)?;
                }
                _ => entries.skip()?,
            }
        }
        Ok(Some(Exception {
            type_name: type_name.unwrap_or_default(),
            value: value.unwrap_or_default(),
            module,
            causes: causes.unwrap_or_default(),
        }))
    }
}

/// A message before its parameters were filled in. It is a text from Node.js, an object from Python, and any other JSON
/// is kept.
struct TakeParamMessage;

impl TakeParamMessage {
    fn of(at: At<'_>, value: Option<Value>) -> Option<ParamMessage> {
        Some(match value? {
            Value::String(template) => ParamMessage::Template(template),
            Value::Object(mut parts) if parts.get("message").is_some_and(Value::is_string) => {
                let message = match parts.remove("message") {
                    Some(Value::String(message)) => copy_text(at, &message, at.limits().message)?,
                    _ => return None,
                };
                ParamMessage::Parts { message, params: parts.remove("params").unwrap_or_default() }
            }
            other => ParamMessage::Other(other),
        })
    }
}

impl Take for TakeParamMessage {
    type Out = ParamMessage;

    fn text(self, at: At<'_>, text: &str) -> Option<ParamMessage> {
        copy_text(at, text, at.limits().message).map(ParamMessage::Template)
    }

    fn number(self, at: At<'_>, number: Number) -> Option<ParamMessage> {
        at.note(Oddity::WrongType);
        Self::of(at, Untyped::GENERAL.number(at, number))
    }

    fn boolean(self, at: At<'_>, boolean: bool) -> Option<ParamMessage> {
        at.note(Oddity::WrongType);
        Self::of(at, Untyped::GENERAL.boolean(at, boolean))
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, array: A) -> Result<Option<ParamMessage>, A::Error> {
        at.note(Oddity::WrongType);
        Ok(Self::of(at, Untyped::GENERAL.array(at, array)?))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<ParamMessage>, A::Error> {
        Ok(Self::of(at, Untyped::GENERAL.object(at, object)?))
    }
}

/// A query that failed. A text is the statement.
struct TakeQuery;

impl Take for TakeQuery {
    type Out = Query;

    fn text(self, at: At<'_>, text: &str) -> Option<Query> {
        at.note(Oddity::WrongType);
        Some(Query { query: copy_text(at, text, at.limits().sql)?, engine: None })
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Query>, A::Error> {
        let (mut query, mut engine) = (None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "query" => entries.field("query", Text(at.limits().sql), &mut query)?,
                "engine" => entries.field("engine", Text(at.limits().word), &mut engine)?,
                _ => entries.skip()?,
            }
        }
        Ok(Some(Query { query: query.unwrap_or_default(), engine }))
    }
}

/// The transaction of an error: an object, or the transaction's name.
struct TakeTransactionReference;

impl Take for TakeTransactionReference {
    type Out = TransactionReference;

    fn text(self, at: At<'_>, text: &str) -> Option<TransactionReference> {
        at.note(Oddity::WrongType);
        let name = copy_text(at, text, at.limits().name)?;
        Some(TransactionReference { name, ..TransactionReference::default() })
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<TransactionReference>, A::Error> {
        let word = Text(at.limits().word);
        let (mut id, mut name, mut kind, mut result) = (None, None, None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "id" => entries.field("id", word, &mut id)?,
                "name" => entries.field("name", Text(at.limits().name), &mut name)?,
                "kind" => entries.field("kind", word, &mut kind)?,
                "result" => entries.field("result", Untyped::GENERAL, &mut result)?,
                _ => entries.skip()?,
            }
        }
        Ok(Some(TransactionReference { id, name: name.unwrap_or_default(), kind, result }))
    }
}
