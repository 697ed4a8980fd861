//! The frame of all readers: each says what it makes of each JSON type, and none fails for a type.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::context::{At, Budget};
use super::notes::Oddity;

/// A JSON number.
#[derive(Clone, Copy)]
pub(super) enum Number {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
}

impl Number {
    pub(super) fn as_f64(self) -> f64 {
        match self {
            Self::Unsigned(number) => number as f64,
            Self::Signed(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(number) => number.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

/// A reader of one value. Each method returns `None` for a value that it leaves out, and then notes the reason.
pub(super) trait Take: Sized {
    type Out;

    fn text(self, at: At<'_>, _text: &str) -> Option<Self::Out> {
        at.note(Oddity::WrongType);
        None
    }

    fn number(self, at: At<'_>, _number: Number) -> Option<Self::Out> {
        at.note(Oddity::WrongType);
        None
    }

    fn boolean(self, at: At<'_>, _boolean: bool) -> Option<Self::Out> {
        at.note(Oddity::WrongType);
        None
    }

    /// Agents write `null` for an absent value, so that it is not noted.
    fn null(self, _at: At<'_>) -> Option<Self::Out> {
        None
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<Self::Out>, A::Error> {
        at.note(Oddity::WrongType);
        skip_elements(&mut array)?;
        Ok(None)
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, mut object: A) -> Result<Option<Self::Out>, A::Error> {
        at.note(Oddity::WrongType);
        skip_entries(&mut object)?;
        Ok(None)
    }
}

/// Skips the other elements of an array, and returns their number.
pub(super) fn skip_elements<'de, A: SeqAccess<'de>>(array: &mut A) -> Result<usize, A::Error> {
    let mut count = 0;
    while array.next_element::<IgnoredAny>()?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Skips the other entries of an object, and returns their number.
pub(super) fn skip_entries<'de, A: MapAccess<'de>>(object: &mut A) -> Result<usize, A::Error> {
    let mut count = 0;
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// A reader at a location, as serde calls it.
pub(super) struct Seed<'a, T> {
    pub(super) at: At<'a>,
    pub(super) take: T,
    /// Whether `null` is noted.
    pub(super) required: bool,
}

impl<'de, T: Take> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = Option<T::Out>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Take> Visitor<'de> for Seed<'_, T> {
    type Value = Option<T::Out>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.take.text(self.at, text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.take.number(self.at, Number::Unsigned(number)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.take.number(self.at, Number::Signed(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(self.take.number(self.at, Number::Float(number)))
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Self::Value, E> {
        Ok(self.take.boolean(self.at, boolean))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        if self.required {
            self.at.note(Oddity::Null);
        }
        Ok(self.take.null(self.at))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<Self::Value, A::Error> {
        self.take.array(self.at, array)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        self.take.object(self.at, object)
    }
}

/// A key, without a copy unless it contains escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// The entries of an object.
pub(super) struct Entries<'a, A> {
    at: At<'a>,
    object: A,
}

impl<'a, 'de, A: MapAccess<'de>> Entries<'a, A> {
    pub(super) const fn new(at: At<'a>, object: A) -> Self {
        Self { at, object }
    }

    /// Returns the next key. [`field`](Self::field), [`value`](Self::value) or [`skip`](Self::skip) must follow.
    pub(super) fn key(&mut self) -> Result<Option<Cow<'de, str>>, A::Error> {
        self.object.next_key_seed(Key)
    }

    /// Reads a value into a slot. The last of several values stays.
    pub(super) fn field<T: Take>(&mut self, key: &str, take: T, slot: &mut Option<T::Out>) -> Result<(), A::Error> {
        let Some(value) = self.value(key, take)? else { return Ok(()) };
        if slot.replace(value).is_some() {
            let path = self.at.path.key(key);
            At { context: self.at.context, path: &path }.note(Oddity::DuplicateKey);
        }
        Ok(())
    }

    /// Reads a value.
    pub(super) fn value<T: Take>(&mut self, key: &str, take: T) -> Result<Option<T::Out>, A::Error> {
        let path = self.at.path.key(key);
        let at = At { context: self.at.context, path: &path };
        self.object.next_value_seed(Seed { at, take, required: false })
    }

    /// Skips a value of a key that the protocol does not have.
    pub(super) fn skip(&mut self) -> Result<(), A::Error> {
        self.object.next_value::<IgnoredAny>().map(|_| ())
    }

    /// Skips the other entries, and returns their number.
    pub(super) fn skip_all(&mut self) -> Result<usize, A::Error> {
        skip_entries(&mut self.object)
    }
}

/// Reads the next element of an array, at its index; notes `null` if a value is required.
pub(super) fn element<'de, A: SeqAccess<'de>, T: Take>(
    at: At<'_>,
    array: &mut A,
    index: usize,
    take: T,
    required: bool,
) -> Result<Option<Option<T::Out>>, A::Error> {
    let path = at.path.index(index);
    let at = At { context: at.context, path: &path };
    array.next_element_seed(Seed { at, take, required })
}

/// The memory that one more element of a growing list takes on average: it allocates up to twice of what it uses.
pub(super) const fn grown<T>() -> usize {
    size_of::<T>() * 3 / 2
}

/// Reads an array of equal elements. A single element that is not in an array counts as an array of one.
pub(super) struct List<'b, T> {
    pub(super) item: T,
    /// The largest number of elements of this array.
    pub(super) max: usize,
    /// The number of elements that all arrays of the body may still have.
    pub(super) budget: Option<&'b Budget>,
    /// Whether a `null` element is noted.
    pub(super) required: bool,
}

impl<T> List<'_, T> {
    pub(super) const fn new(item: T, max: usize) -> Self {
        Self { item, max, budget: None, required: true }
    }
}

impl<T: Take> List<'_, T> {
    fn one(at: At<'_>, item: Option<T::Out>) -> Option<Vec<T::Out>> {
        let item = item?;
        at.note(Oddity::WrongType);
        Some(vec![item])
    }
}

impl<T: Take + Copy> Take for List<'_, T> {
    type Out = Vec<T::Out>;

    fn text(self, at: At<'_>, text: &str) -> Option<Self::Out> {
        Self::one(at, self.item.text(at, text))
    }

    fn number(self, at: At<'_>, number: Number) -> Option<Self::Out> {
        Self::one(at, self.item.number(at, number))
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<Self::Out>, A::Error> {
        let mut items = Vec::new();
        for index in 0.. {
            // A cut list still costs the time to skip it, and no memory.
            let is_full = items.len() >= self.max || self.budget.is_some_and(Budget::is_spent);
            if is_full {
                at.note_count(Oddity::TooMany, skip_elements(&mut array)?);
                break;
            }
            match element(at, &mut array, index, self.item, self.required)? {
                Some(Some(item)) if at.charge(grown::<T::Out>()) => {
                    items.push(item);
                    self.budget.map(Budget::spend);
                }
                Some(_) => {}
                None => break,
            }
        }
        Ok(Some(items))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, object: A) -> Result<Option<Self::Out>, A::Error> {
        Ok(Self::one(at, self.item.object(at, object)?))
    }
}
