//! The values of the fields that a row reads.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write};
use std::ops::Range;
use std::time::Duration;

use opbeat_core::record::Value;
use tracing::field::{Field, Visit};

use super::table::{MAX_FIELDS, Meaning, Row};

/// The largest length of the texts of a span's or an event's fields in bytes. Statements are cut to it.
const MAX_TEXT: usize = 64 * 1024;

/// Capacity for longer texts is released.
const MAX_KEPT: usize = 4 * 1024;

/// The values of a row's fields, in memory that each thread reuses.
pub(super) struct Values<'a> {
    row: &'a Row,
    memory: &'a mut Memory,
}

struct Memory {
    text: String,
    slots: [Slot; MAX_FIELDS],
}

#[derive(Clone)]
enum Slot {
    Empty,
    Text(Range<usize>),
    Integer(i64),
    Float(f64),
    Bool(bool),
}

const EMPTY: Slot = Slot::Empty;

thread_local! {
    static MEMORY: Cell<Option<Box<Memory>>> = const { Cell::new(None) };
}

impl<'a> Values<'a> {
    /// Reads the values that `record` gives to its visitor, and passes them on.
    pub(super) fn read<T>(row: &Row, record: impl FnOnce(&mut dyn Visit), then: impl FnOnce(&Values<'_>) -> T) -> T {
        // The memory is taken out, because a value's formatting may make events of its own.
        let memory = MEMORY.try_with(Cell::take).ok().flatten();
        let mut memory = memory.unwrap_or_else(|| Box::new(Memory { text: String::new(), slots: [EMPTY; MAX_FIELDS] }));
        let mut values = Values { row, memory: &mut memory };
        record(&mut values);
        let output = then(&values);
        memory.text.clear();
        memory.text.shrink_to(MAX_KEPT);
        memory.slots.fill(EMPTY);
        let _ = MEMORY.try_with(|kept| kept.set(Some(memory)));
        output
    }

    fn slot(&mut self, field: &Field) -> Option<usize> {
        let name = field.name();
        let fields = &self.row.fields;
        fields
            .iter()
            .position(|(known, _)| *known == name)
            .filter(|&slot| matches!(self.memory.slots[slot], Slot::Empty))
    }

    fn set(&mut self, field: &Field, value: &Slot) {
        let Some(first) = self.slot(field) else { return };
        let name = field.name();
        // A field can have several meanings.
        for (slot, (known, _)) in self.memory.slots[first..].iter_mut().zip(&self.row.fields[first..]) {
            if *known == name {
                slot.clone_from(value);
            }
        }
    }

    fn with(&self, wanted: impl Fn(&Meaning) -> bool) -> impl Iterator<Item = (&'a Meaning, &Slot)> {
        let pairs = self.row.fields.iter().zip(&self.memory.slots);
        let pairs = pairs.filter(move |((_, meaning), slot)| wanted(meaning) && !matches!(slot, Slot::Empty));
        pairs.map(|((_, meaning), slot)| (meaning, slot))
    }

    fn text(&self, slot: &Slot) -> Option<&str> {
        if let Slot::Text(range) = slot { self.memory.text.get(range.clone()) } else { None }
    }

    fn first_text(&self, wanted: Meaning) -> Option<&str> {
        let texts = self.with(move |meaning| *meaning == wanted).filter_map(|(_, slot)| self.text(slot));
        texts.map(str::trim).find(|text| !text.is_empty())
    }

    /// Returns the statement, from the first field that is not empty.
    pub(super) fn statement(&self) -> Option<&str> {
        self.first_text(Meaning::Statement).or_else(|| self.first_text(Meaning::Summary))
    }

    pub(super) fn system(&self) -> Option<&str> {
        self.first_text(Meaning::System)
    }

    pub(super) fn operation(&self) -> Option<&str> {
        self.first_text(Meaning::Operation)
    }

    /// Returns the values that form the signature, if there are any.
    pub(super) fn signature(&self, separator: &str) -> Option<String> {
        let mut signature = String::new();
        let parts = self.with(|meaning| *meaning == Meaning::Signature).filter_map(|(_, slot)| self.text(slot));
        for part in parts.filter(|part| !part.is_empty()) {
            if !signature.is_empty() {
                signature.push_str(separator);
            }
            signature.push_str(part);
        }
        (!signature.is_empty()).then_some(signature)
    }

    /// Returns the duration, if it is a valid number of seconds.
    pub(super) fn duration(&self) -> Option<Duration> {
        let (_, slot) = self.with(|meaning| *meaning == Meaning::Duration).next()?;
        let seconds = match *slot {
            Slot::Float(seconds) => seconds,
            Slot::Integer(seconds) => seconds as f64,
            _ => return None,
        };
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// Returns whether the fields have the values that the row requires.
    pub(super) fn meet_conditions(&self) -> bool {
        self.row.fields.iter().zip(&self.memory.slots).all(|((_, meaning), slot)| match meaning {
            Meaning::Only(value) => self.text(slot).is_some_and(|text| *text == **value),
            _ => true,
        })
    }

    pub(super) fn have_failed(&self) -> bool {
        self.row.fields.iter().zip(&self.memory.slots).any(|((_, meaning), slot)| match meaning {
            Meaning::Failed(value) => self.text(slot).is_some_and(|text| *text == **value),
            _ => false,
        })
    }

    pub(super) fn have_end(&self) -> bool {
        self.with(|meaning| *meaning == Meaning::End).next().is_some()
    }

    pub(super) fn connection(&self) -> Option<i64> {
        self.integer(&Meaning::Connection)
    }

    pub(super) fn prepared(&self) -> Option<i64> {
        self.integer(&Meaning::Prepared)
    }

    fn integer(&self, wanted: &Meaning) -> Option<i64> {
        let (_, slot) = self.with(|meaning| meaning == wanted).next()?;
        if let Slot::Integer(number) = slot { Some(*number) } else { None }
    }

    /// Returns the number of rows: SQLite counts the changed ones of an earlier statement for a query.
    pub(super) fn rows(&self) -> Option<i64> {
        let numbers = self.with(|meaning| *meaning == Meaning::Rows).filter_map(|(_, slot)| match slot {
            Slot::Integer(number) => Some(*number),
            _ => None,
        });
        numbers.reduce(|first, next| if first == 0 { next } else { first })
    }

    /// Returns the extra values of the span.
    pub(super) fn extras(&self) -> impl Iterator<Item = (Cow<'static, str>, Value)> {
        self.with(|meaning| matches!(meaning, Meaning::Extra(_))).filter_map(|(meaning, slot)| {
            let Meaning::Extra(key) = meaning else { return None };
            let value = match slot {
                Slot::Empty => return None,
                Slot::Text(_) => Value::from(shortened(self.text(slot)?)),
                Slot::Integer(number) => Value::from(*number),
                Slot::Float(number) => Value::from(*number),
                Slot::Bool(truth) => Value::from(*truth),
            };
            Some((key.clone(), value))
        })
    }
}

/// Returns the first bytes of a text that becomes an extra value.
fn shortened(text: &str) -> String {
    /// The largest length of an extra value in bytes.
    const MAX_EXTRA: usize = 500;
    text[..text.floor_char_boundary(MAX_EXTRA)].to_owned()
}

impl Visit for Values<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.slot(field).is_none() {
            return;
        }
        let start = self.memory.text.len();
        // A text that is too long is cut, and the error stops its formatting.
        let _ = write!(Limited(&mut self.memory.text), "{value:?}");
        let end = self.memory.text.len();
        // `%3` and `?3` are numbers too.
        let number = self.memory.text[start..end].parse().ok();
        self.set(field, &number.map_or(Slot::Text(start..end), Slot::Integer));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if self.slot(field).is_some() {
            let start = self.memory.text.len();
            let _ = Limited(&mut self.memory.text).write_str(value);
            let end = self.memory.text.len();
            self.set(field, &Slot::Text(start..end));
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, &Slot::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, &i64::try_from(value).map_or(Slot::Float(value as f64), Slot::Integer));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, &Slot::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, &Slot::Bool(value));
    }
}

/// A text that does not grow beyond [`MAX_TEXT`].
struct Limited<'a>(&'a mut String);

impl Write for Limited<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let free = MAX_TEXT.saturating_sub(self.0.len());
        self.0.push_str(&text[..text.floor_char_boundary(free)]);
        if text.len() > free { Err(fmt::Error) } else { Ok(()) }
    }
}
