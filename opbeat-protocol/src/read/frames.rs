//! Readers of stacks.

use serde::de::{MapAccess, SeqAccess};
use serde_json::Value;

use super::context::At;
use super::notes::Oddity;
use super::scalars::{Flag, SourceLine, Text, Whole};
use super::take::{Entries, List, Take, element};
use super::untyped::{Ends, Object};
use crate::errors::{Frame, Stacktrace, Template};

/// The largest line and column.
const MAX_LINE: u64 = u32::MAX as u64;

/// A stack: an object with `frames`, or the array of the frames itself.
#[derive(Clone, Copy)]
pub(super) struct TakeStacktrace;

impl Take for TakeStacktrace {
    type Out = Stacktrace;

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, array: A) -> Result<Option<Stacktrace>, A::Error> {
        at.note(Oddity::WrongType);
        Ok(TakeFrames.array(at, array)?.map(|frames| Stacktrace { frames }))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Stacktrace>, A::Error> {
        let mut frames = None;
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "frames" => entries.field("frames", TakeFrames, &mut frames)?,
                _ => entries.skip()?,
            }
        }
        Ok(Some(Stacktrace { frames: frames.unwrap_or_default() }))
    }
}

/// The frames of a stack.
struct TakeFrames;

impl Take for TakeFrames {
    type Out = Vec<Frame>;

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<Vec<Frame>>, A::Error> {
        let mut frames = Ends::new(at.limits().frames);
        for index in 0.. {
            match element(at, &mut array, index, TakeFrame, true)? {
                Some(Some(frame)) => frames.push(frame),
                Some(None) => {}
                None => break,
            }
        }
        Ok(Some(frames.finish(at)))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Vec<Frame>>, A::Error> {
        at.note(Oddity::WrongType);
        Ok(TakeFrame.object(at, object)?.map(|frame| vec![frame]))
    }
}

/// The fields that frames and templates share.
#[derive(Default)]
struct Location {
    filename: Option<String>,
    abs_path: Option<String>,
    lineno: Option<u64>,
    pre_context: Option<Vec<Option<String>>>,
    context_line: Option<String>,
    post_context: Option<Vec<Option<String>>>,
}

impl Location {
    /// Reads one of the fields; skips any other.
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        at: At<'_>,
        key: &str,
        entries: &mut Entries<'_, A>,
    ) -> Result<(), A::Error> {
        let limits = at.limits();
        let lines = || List { required: false, ..List::new(SourceLine, limits.source_lines) };
        match key {
            "filename" => entries.field(key, Text(limits.path), &mut self.filename),
            "abs_path" => entries.field(key, Text(limits.path), &mut self.abs_path),
            "lineno" => entries.field(key, Whole(MAX_LINE), &mut self.lineno),
            "pre_context" => entries.field(key, lines(), &mut self.pre_context),
            "context_line" => entries.field(key, Text(limits.source_line), &mut self.context_line),
            "post_context" => entries.field(key, lines(), &mut self.post_context),
            _ => entries.skip(),
        }
    }
}

#[derive(Clone, Copy)]
struct TakeFrame;

impl Take for TakeFrame {
    type Out = Frame;

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Frame>, A::Error> {
        let limits = at.limits();
        let mut location = Location::default();
        let (mut colno, mut function, mut module, mut in_app, mut vars) = (None, None, None, None, None);
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            match &*key {
                "colno" => entries.field("colno", Whole(MAX_LINE), &mut colno)?,
                "function" => entries.field("function", Text(limits.path), &mut function)?,
                "module" => entries.field("module", Text(limits.path), &mut module)?,
                "in_app" => entries.field("in_app", Flag, &mut in_app)?,
                "vars" => entries.field("vars", Object::Extra, &mut vars)?,
                key => location.field(at, key, &mut entries)?,
            }
        }
        Ok(Some(Frame {
            filename: location.filename.unwrap_or_default(),
            abs_path: location.abs_path,
            lineno: location.lineno.map_or(0, line),
            colno: colno.map(line),
            function,
            module,
            in_app,
            pre_context: location.pre_context,
            context_line: location.context_line,
            post_context: location.post_context,
            vars: vars.map(Value::Object),
        }))
    }
}

/// A template that failed. A text is its name.
#[derive(Clone, Copy)]
pub(super) struct TakeTemplate;

impl Take for TakeTemplate {
    type Out = Template;

    fn text(self, at: At<'_>, text: &str) -> Option<Template> {
        at.note(Oddity::WrongType);
        let filename = Text(at.limits().path).text(at, text)?;
        Some(Template { filename, ..Template::default() })
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Template>, A::Error> {
        let mut location = Location::default();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            location.field(at, &key, &mut entries)?;
        }
        Ok(Some(Template {
            filename: location.filename.unwrap_or_default(),
            abs_path: location.abs_path,
            lineno: location.lineno.map_or(0, line),
            pre_context: location.pre_context,
            context_line: location.context_line,
            post_context: location.post_context,
        }))
    }
}

fn line(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
