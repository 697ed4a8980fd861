//! Readers of single values: texts, numbers, booleans and times.

use serde::de::{MapAccess, SeqAccess};

use super::context::At;
use super::notes::Oddity;
use super::take::{Number, Take, skip_elements, skip_entries};
use crate::timestamp::Timestamp;

/// The replacement of characters that cannot be stored.
const REPLACEMENT: &str = "\u{fffd}";

/// The bytes that a text takes beyond its own length.
const TEXT_OVERHEAD: usize = 24;

/// Copies a text of at most `max` characters.
pub(super) fn copy_text(at: At<'_>, text: &str, max: usize) -> Option<String> {
    let kept = within(text, max);
    if !at.charge(kept.len() + TEXT_OVERHEAD) {
        return None;
    }
    let mut copy = if kept.len() == text.len() {
        kept.to_owned()
    } else {
        at.note(Oddity::TooLong);
        format!("{kept}…")
    };
    if copy.as_bytes().contains(&0) {
        at.note(Oddity::ControlCharacter);
        copy = copy.replace('\0', REPLACEMENT);
    }
    Some(copy)
}

/// Returns the text, or its first `max - 1` characters if it has more than `max`.
fn within(text: &str, max: usize) -> &str {
    // A text has at least as many bytes as characters.
    if text.len() <= max {
        return text;
    }
    let mut starts = text.char_indices().map(|(start, _)| start).skip(max.saturating_sub(1));
    match (starts.next(), starts.next()) {
        (Some(cut), Some(_)) => &text[..cut],
        _ => text,
    }
}

/// A text of at most that many characters. Numbers and booleans become texts.
#[derive(Clone, Copy)]
pub(super) struct Text(pub(super) usize);

impl Take for Text {
    type Out = String;

    fn text(self, at: At<'_>, text: &str) -> Option<String> {
        copy_text(at, text, self.0)
    }

    fn number(self, at: At<'_>, number: Number) -> Option<String> {
        at.note(Oddity::WrongType);
        copy_text(at, &number.to_string(), self.0)
    }

    fn boolean(self, at: At<'_>, boolean: bool) -> Option<String> {
        at.note(Oddity::WrongType);
        copy_text(at, if boolean { "true" } else { "false" }, self.0)
    }
}

/// A source line; `null` if it is not known, which agents send to keep the number of lines.
#[derive(Clone, Copy)]
pub(super) struct SourceLine;

impl Take for SourceLine {
    type Out = Option<String>;

    fn text(self, at: At<'_>, text: &str) -> Option<Self::Out> {
        copy_text(at, text, at.limits().source_line).map(Some)
    }

    fn number(self, at: At<'_>, number: Number) -> Option<Self::Out> {
        Text(at.limits().source_line).number(at, number).map(Some)
    }

    fn null(self, _at: At<'_>) -> Option<Self::Out> {
        Some(None)
    }
}

/// A whole number from 0 to a maximum.
#[derive(Clone, Copy)]
pub(super) struct Whole(pub(super) u64);

impl Take for Whole {
    type Out = u64;

    fn text(self, at: At<'_>, text: &str) -> Option<u64> {
        at.note(Oddity::WrongType);
        self.number(at, parse_number(text)?)
    }

    fn number(self, at: At<'_>, number: Number) -> Option<u64> {
        let whole = match number {
            Number::Unsigned(whole) => whole,
            Number::Signed(whole) => {
                let Ok(whole) = u64::try_from(whole) else {
                    at.note(Oddity::OutOfRange);
                    return None;
                };
                whole
            }
            Number::Float(float) if float < 0.0 => {
                at.note(Oddity::OutOfRange);
                return None;
            }
            Number::Float(float) => {
                if float.fract() != 0.0 {
                    at.note(Oddity::WrongType);
                }
                float as u64
            }
        };
        if whole > self.0 {
            at.note(Oddity::OutOfRange);
        }
        Some(whole.min(self.0))
    }
}

/// A number of milliseconds from 0 to a maximum.
#[derive(Clone, Copy)]
pub(super) struct Milliseconds(pub(super) f64);

impl Take for Milliseconds {
    type Out = f64;

    fn text(self, at: At<'_>, text: &str) -> Option<f64> {
        at.note(Oddity::WrongType);
        self.number(at, parse_number(text)?)
    }

    fn number(self, at: At<'_>, number: Number) -> Option<f64> {
        let milliseconds = number.as_f64();
        if milliseconds < 0.0 {
            at.note(Oddity::NegativeDuration);
            Some(0.0)
        } else if milliseconds > self.0 {
            at.note(Oddity::OutOfRange);
            Some(self.0)
        } else {
            // The sum turns -0.0 into 0.0.
            Some(milliseconds + 0.0)
        }
    }
}

/// Reads a number that was sent as a text.
fn parse_number(text: &str) -> Option<Number> {
    let text = text.trim();
    let whole = || text.parse().ok().map(Number::Unsigned);
    let signed = || text.parse().ok().map(Number::Signed);
    let float = || text.parse().ok().filter(|float: &f64| float.is_finite()).map(Number::Float);
    whole().or_else(signed).or_else(float)
}

/// `true` or `false`.
#[derive(Clone, Copy)]
pub(super) struct Flag;

impl Take for Flag {
    type Out = bool;

    fn text(self, at: At<'_>, text: &str) -> Option<bool> {
        at.note(Oddity::WrongType);
        match text.trim() {
            "true" | "True" | "1" | "yes" => Some(true),
            "false" | "False" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    fn number(self, at: At<'_>, number: Number) -> Option<bool> {
        at.note(Oddity::WrongType);
        Some(number.as_f64() != 0.0)
    }

    fn boolean(self, _at: At<'_>, boolean: bool) -> Option<bool> {
        Some(boolean)
    }
}

/// A time in any format that [`Timestamp`] recognises.
#[derive(Clone, Copy)]
pub(super) struct Time;

impl Time {
    fn valid(at: At<'_>, time: Option<Timestamp>) -> Option<Timestamp> {
        time.filter(|time| time.is_in_calendar()).or_else(|| Self::invalid(at))
    }

    fn invalid(at: At<'_>) -> Option<Timestamp> {
        at.note(Oddity::InvalidTime);
        None
    }
}

impl Take for Time {
    type Out = Timestamp;

    fn text(self, at: At<'_>, text: &str) -> Option<Timestamp> {
        Self::valid(at, Timestamp::parse(text))
    }

    fn number(self, at: At<'_>, number: Number) -> Option<Timestamp> {
        let time = match number {
            Number::Unsigned(number) => Timestamp::from_unsigned(number),
            Number::Signed(number) => Timestamp::from_integer(number),
            Number::Float(number) => Timestamp::from_float(number),
        };
        Self::valid(at, Some(time))
    }

    fn boolean(self, at: At<'_>, _boolean: bool) -> Option<Timestamp> {
        Self::invalid(at)
    }

    fn null(self, at: At<'_>) -> Option<Timestamp> {
        Self::invalid(at)
    }

    fn array<'de, A: SeqAccess<'de>>(self, at: At<'_>, mut array: A) -> Result<Option<Timestamp>, A::Error> {
        skip_elements(&mut array)?;
        Ok(Self::invalid(at))
    }

    fn object<'de, A: MapAccess<'de>>(self, at: At<'_>, mut object: A) -> Result<Option<Timestamp>, A::Error> {
        skip_entries(&mut object)?;
        Ok(Self::invalid(at))
    }
}
