//! A reader of texts that people read.

use serde::de::{MapAccess, SeqAccess};
use serde_json::Value;

use super::context::At;
use super::notes::Oddity;
use super::scalars::{Text, copy_text};
use super::take::{Number, Take};
use super::untyped::Untyped;

/// A text that people read, such as a message: arrays and objects become their JSON.
#[derive(Clone, Copy)]
pub(super) struct Prose(pub(super) usize);

impl Prose {
    fn json(self, at: At<'_>, value: Option<Value>) -> Option<String> {
        at.note(Oddity::WrongType);
        copy_text(at, &value?.to_string(), self.0)
    }
}

impl Take for Prose {
    type Out = String;

    fn text(self, at: At<'_>, text: &str) -> Option<String> {
        copy_text(at, text, self.0)
    }

    fn number(self, at: At<'_>, number: Number) -> Option<String> {
        Text(self.0).number(at, number)
    }

    fn boolean(self, at: At<'_>, boolean: bool) -> Option<String> {
        Text(self.0).boolean(at, boolean)
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, array: A) -> Result<Option<String>, A::Error> {
        Ok(self.json(at, Untyped::GENERAL.array(at, array)?))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<String>, A::Error> {
        Ok(self.json(at, Untyped::GENERAL.object(at, object)?))
    }
}
