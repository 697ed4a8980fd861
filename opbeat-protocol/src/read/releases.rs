//! Readers of releases.

use serde::de::MapAccess;

use super::context::{At, Context, Path};
use super::errors::TakeMachine;
use super::form;
use super::limits::ReadLimits;
use super::notes::{Notes, Oddity, Received};
use super::scalars::{Text, Time};
use super::take::{Entries, Number, Take};
use crate::releases::ReleaseBody;

/// The body of `releases/` as JSON.
#[derive(Clone, Copy)]
pub(super) struct TakeRelease;

impl Take for TakeRelease {
    type Out = ReleaseBody;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<ReleaseBody>, A::Error> {
        let word = Text(at.limits().word);
        let mut rev = None;
        let mut body = ReleaseBody::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "rev" => entries.field("rev", word, &mut rev)?,
                "status" => entries.field("status", word, &mut body.status)?,
                "branch" => entries.field("branch", word, &mut body.branch)?,
                "machine" => entries.field("machine", TakeHost, &mut body.machine)?,
                "timestamp" => entries.field("timestamp", Time, &mut body.timestamp)?,
                _ => entries.skip()?,
            }
        }
        body.rev = rev.unwrap_or_default();
        Ok(Some(body))
    }
}

/// The host name of a machine: a text here, unlike in the other bodies.
struct TakeHost;

impl Take for TakeHost {
    type Out = String;

    fn text(self, at: At<'_>, text: &str) -> Option<String> {
        Text(at.limits().word).text(at, text)
    }

    fn number(self, at: At<'_>, number: Number) -> Option<String> {
        Text(at.limits().word).number(at, number)
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<String>, A::Error> {
        at.note(Oddity::WrongType);
        Ok(TakeMachine.object(at, object)?.map(|machine| machine.hostname))
    }
}

/// Reads the body of `releases/` as a form. The last of several values with a name stays.
pub(super) fn from_form(body: &[u8], limits: &ReadLimits) -> Received<ReleaseBody> {
    let context = Context::new(limits, body.len(), Notes::default());
    let mut release = ReleaseBody::default();
    for (name, value) in form::pairs(body) {
        let path = Path::ROOT.key(&name);
        let at = At { context: &context, path: &path };
        let is_known = matches!(&*name, "rev" | "status" | "branch" | "machine" | "timestamp");
        if !is_known || value.text.is_empty() {
            continue;
        }
        if !value.is_utf8 {
            at.note(Oddity::InvalidUtf8);
        }
        if name == "timestamp" {
            release.timestamp = Time.text(at, &value.text);
            continue;
        }
        let value = Text(limits.word).text(at, &value.text);
        match &*name {
            "rev" => release.rev = value.unwrap_or_default(),
            "status" => release.status = value,
            "branch" => release.branch = value,
            _ => release.machine = value,
        }
    }
    Received { body: release, notes: context.into_notes() }
}
