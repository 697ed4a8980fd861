//! Notes on the values that a reader replaced, lowered, cut or left out.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest path of a note, in characters.
const MAX_PATH: usize = 100;

/// A reason for which a part of a body was replaced, lowered, cut or left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oddity {
    /// `NaN`, `Infinity` or `-Infinity`, which are not JSON.
    NotANumber,
    /// Half of a surrogate pair, such as `\ud83d`.
    LoneSurrogate,
    /// A NUL character, or a control character that JSON requires to be escaped.
    ControlCharacter,
    /// Bytes that are not UTF-8.
    InvalidUtf8,
    /// A number beyond the range of its field.
    OutOfRange,
    /// An array or object that is nested too deeply.
    TooDeep,
    /// A duration or start below zero.
    NegativeDuration,
    /// A value of another JSON type than the field has.
    WrongType,
    /// A `null` where a value is required.
    Null,
    /// A key that occurs more than once in one object.
    DuplicateKey,
    /// A byte order mark before the body.
    ByteOrderMark,
    /// A body compressed with raw deflate, without the header of zlib.
    RawDeflate,
    /// A text beyond its limit.
    TooLong,
    /// More elements than the limit.
    TooMany,
    /// A time that cannot be recognised.
    InvalidTime,
    /// A span that refers to a group that the body does not contain.
    UnknownGroup,
    /// Two lists that belong together have different lengths.
    DifferentLengths,
}

impl Oddity {
    /// All oddities.
    pub const ALL: [Self; 17] = [
        Self::NotANumber,
        Self::LoneSurrogate,
        Self::ControlCharacter,
        Self::InvalidUtf8,
        Self::OutOfRange,
        Self::TooDeep,
        Self::NegativeDuration,
        Self::WrongType,
        Self::Null,
        Self::DuplicateKey,
        Self::ByteOrderMark,
        Self::RawDeflate,
        Self::TooLong,
        Self::TooMany,
        Self::InvalidTime,
        Self::UnknownGroup,
        Self::DifferentLengths,
    ];

    /// Returns the name under which the oddity is stored and counted. It never changes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotANumber => "not_a_number",
            Self::LoneSurrogate => "lone_surrogate",
            Self::ControlCharacter => "control_character",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::OutOfRange => "out_of_range",
            Self::TooDeep => "too_deep",
            Self::NegativeDuration => "negative_duration",
            Self::WrongType => "wrong_type",
            Self::Null => "null",
            Self::DuplicateKey => "duplicate_key",
            Self::ByteOrderMark => "byte_order_mark",
            Self::RawDeflate => "raw_deflate",
            Self::TooLong => "too_long",
            Self::TooMany => "too_many",
            Self::InvalidTime => "invalid_time",
            Self::UnknownGroup => "unknown_group",
            Self::DifferentLengths => "different_lengths",
        }
    }

    /// Returns the oddity of a name that [`as_str`](Self::as_str) returned.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|oddity| oddity.as_str() == name)
    }

    /// Returns one sentence that says what was received and what the reader did.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::NotANumber => "NaN or an infinity, which JSON does not have, was replaced by null.",
            Self::LoneSurrogate => "Half of a surrogate pair, which is not a character, was replaced by U+FFFD.",
            Self::ControlCharacter => "A NUL character was replaced by U+FFFD, or a raw control character was escaped.",
            Self::InvalidUtf8 => "Bytes that are not UTF-8 were replaced by U+FFFD.",
            Self::OutOfRange => {
                "A number beyond the range of its field was set to the nearest valid number or left out."
            }
            Self::TooDeep => "An array or object that was nested too deeply was replaced by a short text.",
            Self::NegativeDuration => {
                "A negative duration or start was set to 0; a clock that was set back causes these."
            }
            Self::WrongType => "A value of an unexpected JSON type was converted or left out.",
            Self::Null => "A null where a value is required was left out.",
            Self::DuplicateKey => "A key occurred more than once in an object; the last value was kept.",
            Self::ByteOrderMark => "The byte order mark before the body was removed.",
            Self::RawDeflate => {
                "The body was compressed with raw deflate, without the header of zlib, and was inflated."
            }
            Self::TooLong => "A text beyond its limit was cut; it ends with an ellipsis.",
            Self::TooMany => "Elements or keys beyond the limit were left out.",
            Self::InvalidTime => "A time that cannot be recognised was left out; the time of receipt is used.",
            Self::UnknownGroup => "A span that refers to a group that the body does not contain was left out.",
            Self::DifferentLengths => "A list whose length differs from the list that it belongs to was left out.",
        }
    }
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The effect of one oddity on a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The oddity.
    pub oddity: Oddity,
    /// The number of values that it changed.
    pub count: u64,
    /// The first of these values, such as `stacktrace.frames[0].lineno`; empty for the body as a whole. At most 100
    /// characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
}

/// The notes on one body: at most one for each [`Oddity`], in the order of their first occurrence.
///
/// # Examples
///
/// ```
/// use opbeat_protocol::read::{Oddity, ReadLimits, read_error};
///
/// let error = read_error(br#"{"message": 42, "level": 40, "timestamp": "soon"}"#, &ReadLimits::default())?;
/// let notes: Vec<_> = error.notes.iter().map(|note| (note.oddity, note.count, note.path.as_str())).collect();
/// assert_eq!(notes, [(Oddity::WrongType, 2, "message"), (Oddity::InvalidTime, 1, "timestamp")]);
/// # Ok::<(), opbeat_protocol::read::Unreadable>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Notes(Vec<Note>);

impl Notes {
    /// Returns whether nothing was changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the notes in the order of their first occurrence.
    pub fn iter(&self) -> impl Iterator<Item = &Note> {
        self.0.iter()
    }

    /// Returns the number of values that an oddity changed.
    #[must_use]
    pub fn count(&self, oddity: Oddity) -> u64 {
        self.0.iter().find(|note| note.oddity == oddity).map_or(0, |note| note.count)
    }

    /// Adds a note of `count` changed values, of which the first is at `path`.
    pub fn add(&mut self, oddity: Oddity, count: u64, path: &str) {
        self.add_with(oddity, count, || path.to_owned());
    }

    /// Adds a note; asks for the path if it is the first of its oddity only.
    pub(super) fn add_with(&mut self, oddity: Oddity, count: u64, path: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|note| note.oddity == oddity) {
            Some(note) => note.count = note.count.saturating_add(count),
            None => self.0.push(Note { oddity, count, path: shortened(path()) }),
        }
    }
}

/// A body, and the notes on what was changed in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received<T> {
    /// The body.
    pub body: T,
    /// The notes.
    pub notes: Notes,
}

fn shortened(path: String) -> String {
    if path.len() <= MAX_PATH {
        return path;
    }
    match path.char_indices().nth(MAX_PATH) {
        Some(_) => path.chars().take(MAX_PATH - 1).chain(['…']).collect(),
        None => path,
    }
}
