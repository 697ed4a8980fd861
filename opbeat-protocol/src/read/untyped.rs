//! Readers of values of any type: `extra`, `vars`, `http`, `user`, `tags`, results.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::de::{MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::context::{At, Budget};
use super::notes::Oddity;
use super::scalars::copy_text;
use super::take::{Entries, Number, Take, element, grown, skip_elements, skip_entries};

/// The text that replaces an array or object that is nested too deeply.
const TOO_DEEP: &str = "[nested too deeply]";

/// The memory that the first entry of a map takes: the map allocates space for eleven.
const MAP_BYTES: usize = 640;

/// The entries that fit into this space.
const MAP_ENTRIES: usize = 11;

/// The first and the last elements of a list, of which those in the middle are left out.
///
/// Agents disagree about the order of frames, so that the most important frame is either the first or the last.
pub(super) struct Ends<T> {
    first: Vec<T>,
    last: VecDeque<T>,
    half: usize,
    left_out: usize,
}

impl<T> Ends<T> {
    pub(super) const fn new(max: usize) -> Self {
        Self { first: Vec::new(), last: VecDeque::new(), half: max.div_ceil(2), left_out: 0 }
    }

    pub(super) fn push(&mut self, item: T) {
        if self.first.len() < self.half {
            self.first.push(item);
            return;
        }
        self.last.push_back(item);
        if self.last.len() > self.half {
            self.last.pop_front();
            self.left_out += 1;
        }
    }

    /// Returns the elements; notes those left out.
    pub(super) fn finish(self, at: At<'_>) -> Vec<T> {
        at.note_count(Oddity::TooMany, self.left_out);
        let mut items = self.first;
        items.extend(self.last);
        items
    }
}

/// The place of a value of any type, which decides its limits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    General,
    /// A statement.
    Sql,
    /// The list `_frames` itself.
    FrameList,
    /// In a frame of `_frames`.
    Frame,
    /// A source line of such a frame, or a list of them.
    SourceLine,
}

/// A value of any type.
#[derive(Clone, Copy)]
pub(super) struct Untyped {
    place: Place,
    /// Whether `null` is kept, which is right inside of other values.
    keeps_null: bool,
}

impl Untyped {
    /// A value that is a field; `null` stands for an absent one.
    pub(super) const GENERAL: Self = Self { place: Place::General, keeps_null: false };

    const INNER: Self = Self { place: Place::General, keeps_null: true };

    fn max_text(self, at: At<'_>) -> usize {
        match self.place {
            Place::General | Place::FrameList => at.limits().text,
            Place::Sql => at.limits().sql,
            Place::Frame => at.limits().path,
            Place::SourceLine => at.limits().source_line,
        }
    }

    fn element(self) -> Self {
        let place = match self.place {
            Place::FrameList => Place::Frame,
            place => place,
        };
        Self { place, keeps_null: true }
    }

    fn entry(self, key: &str) -> Self {
        let place = match (self.place, key) {
            (Place::General, "_frames") => Place::FrameList,
            (Place::General, "sql" | "query") => Place::Sql,
            (Place::Frame, "context_line" | "pre_context" | "post_context") => Place::SourceLine,
            (Place::General | Place::Sql, _) => Place::General,
            (place, _) => place,
        };
        Self { place, keeps_null: true }
    }

    /// Returns the number of values that the body may still contain here.
    fn budget(self, at: At<'_>) -> &Budget {
        match self.place {
            Place::General | Place::Sql => &at.context.values,
            Place::FrameList | Place::Frame | Place::SourceLine => &at.context.frame_values,
        }
    }

    /// Reads one entry of an object into a map of those that have no field.
    pub(super) fn entry_of<'de, A: MapAccess<'de>>(
        at: At<'_>,
        map: &mut Map<String, Value>,
        key: Cow<'_, str>,
        entries: &mut Entries<'_, A>,
    ) -> Result<(), A::Error> {
        if map.len() >= at.limits().elements
            || !Self::INNER.budget(at).spend()
            || (map.is_empty() && !at.charge(MAP_BYTES))
        {
            at.note(Oddity::TooMany);
            return entries.skip();
        }
        if let Some(value) = entries.value(&key, Self::INNER.entry(&key))? {
            insert(at, map, key, value);
        }
        Ok(())
    }

    /// Reads the entries of an object.
    fn entries<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Map<String, Value>, A::Error> {
        let mut map = Map::new();
        let mut entries = Entries::new(at, object);
        while let Some(key) = entries.key()? {
            let is_first_but_refused = map.is_empty() && !at.charge(MAP_BYTES);
            if is_first_but_refused || map.len() >= at.limits().elements || !self.budget(at).spend() {
                entries.skip()?;
                at.note_count(Oddity::TooMany, 1 + entries.skip_all()?);
                break;
            }
            // `None` is a value that does not fit into the memory; `null` is a value here.
            if let Some(value) = entries.value(&key, self.entry(&key))? {
                insert(at, &mut map, key, value);
            }
        }
        Ok(map)
    }
}

/// Inserts an entry. Of entries with the same key, the last that is not `null` stays.
fn insert(at: At<'_>, map: &mut Map<String, Value>, key: Cow<'_, str>, value: Value) {
    if map.len() >= MAP_ENTRIES && !at.charge(2 * size_of::<(String, Value)>()) {
        return;
    }
    let is_plain = key.len() <= at.limits().key && !key.as_bytes().contains(&0);
    let key = match key {
        Cow::Owned(key) if is_plain => Some(key),
        key => copy_text(at, &key, at.limits().key),
    };
    let Some(key) = key else { return };
    let is_duplicate = if value.is_null() && map.contains_key(&key) {
        true
    } else {
        map.insert(key, value).is_some_and(|earlier| !earlier.is_null())
    };
    if is_duplicate {
        at.note(Oddity::DuplicateKey);
    }
}

impl Take for Untyped {
    type Out = Value;

    fn text(self, at: At<'_>, text: &str) -> Option<Value> {
        copy_text(at, text, self.max_text(at)).map(Value::String)
    }

    fn number(self, _at: At<'_>, number: Number) -> Option<Value> {
        Some(match number {
            Number::Unsigned(number) => number.into(),
            Number::Signed(number) => number.into(),
            Number::Float(number) => number.into(),
        })
    }

    fn boolean(self, _at: At<'_>, boolean: bool) -> Option<Value> {
        Some(boolean.into())
    }

    fn null(self, _at: At<'_>) -> Option<Value> {
        self.keeps_null.then_some(Value::Null)
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<Value>, A::Error> {
        if at.is_too_deep() {
            at.note(Oddity::TooDeep);
            skip_elements(&mut array)?;
            return Ok(Some(TOO_DEEP.into()));
        }
        let is_frames = self.place == Place::FrameList;
        let max = if is_frames { usize::MAX } else { at.limits().elements };
        let mut kept = Ends::new(if is_frames { at.limits().frames } else { usize::MAX });
        for index in 0.. {
            if index >= max || self.element().budget(at).is_spent() || !at.charge(grown::<Value>()) {
                at.note_count(Oddity::TooMany, skip_elements(&mut array)?);
                break;
            }
            match element(at, &mut array, index, self.element(), false)? {
                Some(Some(value)) => {
                    self.element().budget(at).spend();
                    kept.push(value);
                }
                Some(None) => {}
                None => break,
            }
        }
        Ok(Some(Value::Array(kept.finish(at))))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, mut object: A) -> Result<Option<Value>, A::Error> {
        if at.is_too_deep() {
            at.note(Oddity::TooDeep);
            skip_entries(&mut object)?;
            return Ok(Some(TOO_DEEP.into()));
        }
        Ok(Some(Value::Object(self.entries(at, object)?)))
    }
}

/// The kind of an object of any type, which decides what becomes of a value that is not an object.
#[derive(Clone, Copy)]
pub(super) enum Object {
    /// The request: a text is its URL, with or without the method before it.
    Http,
    /// The user: a text or number is the id.
    User,
    /// Tags: a text is a tag without a value.
    Tags,
    /// Extra values, and variables: any other value is put under the key `value`.
    Extra,
}

impl Object {
    fn of(self, at: At<'_>, value: Option<Value>) -> Option<Map<String, Value>> {
        at.note(Oddity::WrongType);
        let value = value?;
        if value.as_array().is_some_and(Vec::is_empty) {
            return None;
        }
        let mut map = Map::new();
        match (self, value) {
            (Self::Http, Value::String(text)) => match text.split_once(' ') {
                Some((method, url)) if method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
                    map.insert("method".to_owned(), method.into());
                    map.insert("url".to_owned(), url.into());
                }
                _ => drop(map.insert("url".to_owned(), text.into())),
            },
            (Self::User, value @ (Value::String(_) | Value::Number(_))) => drop(map.insert("id".to_owned(), value)),
            (Self::Tags, Value::Array(tags)) => tags.into_iter().for_each(|tag| insert_tag(at, &mut map, tag)),
            (Self::Tags, tag) => insert_tag(at, &mut map, tag),
            (_, value) => drop(map.insert("value".to_owned(), value)),
        }
        Some(map)
    }
}

/// Inserts a tag of an array: a name, or a pair of a name and a value.
fn insert_tag(at: At<'_>, map: &mut Map<String, Value>, tag: Value) {
    match tag {
        Value::String(name) => insert(at, map, name.into(), true.into()),
        Value::Array(pair) => {
            let mut pair = pair.into_iter();
            if let (Some(Value::String(name)), Some(value), None) = (pair.next(), pair.next(), pair.next()) {
                insert(at, map, name.into(), value);
            }
        }
        Value::Number(name) => insert(at, map, name.to_string().into(), true.into()),
        Value::Null | Value::Bool(_) => {}
        Value::Object(tags) => tags.into_iter().for_each(|(name, value)| insert(at, map, name.into(), value)),
    }
}

impl Take for Object {
    type Out = Map<String, Value>;

    fn text(self, at: At<'_>, text: &str) -> Option<Self::Out> {
        self.of(at, Untyped::GENERAL.text(at, text))
    }

    fn number(self, at: At<'_>, number: Number) -> Option<Self::Out> {
        self.of(at, Untyped::GENERAL.number(at, number))
    }

    fn boolean(self, at: At<'_>, boolean: bool) -> Option<Self::Out> {
        self.of(at, Untyped::GENERAL.boolean(at, boolean))
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, array: A) -> Result<Option<Self::Out>, A::Error> {
        // The value may end up one level deeper.
        let path = at.path.key("value");
        let value = Untyped::GENERAL.array(At { context: at.context, path: &path }, array)?;
        Ok(self.of(at, value))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Self::Out>, A::Error> {
        Untyped::INNER.entries(at, object).map(Some)
    }
}
