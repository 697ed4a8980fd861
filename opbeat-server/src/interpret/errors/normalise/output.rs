//! The text with placeholders: lists of equal ones become one, and a date in words becomes one.

use super::patterns::{month, spaced_unit, time_zone, weekday};

/// A number or an id: many ids are numbers, and a hash can consist of digits only.
pub(super) const NUMBER: &str = "{n}";
pub(super) const TIME: &str = "{time}";
pub(super) const QUOTED: &str = "{text}";
pub(super) const ADDRESS: &str = "{address}";
pub(super) const IP: &str = "{ip}";
pub(super) const MAC: &str = "{mac}";
pub(super) const EMAIL: &str = "{email}";

/// The number of words after a number that can be counted by it.
const MAX_COUNTED: usize = 3;

/// The longest unit, in bytes.
const MAX_UNIT: usize = 20;

pub(super) struct Output {
    text: String,
    /// The number of words since the last number.
    words_after_number: usize,
    /// Whether the last placeholder is a date to which more numbers belong: `27 Nov 2026`.
    is_in_date: bool,
}

impl Output {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), words_after_number: usize::MAX, is_in_date: false }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    pub(super) fn push(&mut self, character: char) {
        self.text.push(character);
    }

    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn ends_with(&self, character: char) -> bool {
        self.text.ends_with(character)
    }

    /// Adds a space, unless there is one.
    pub(super) fn push_space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
    }

    /// Removes the last character.
    pub(super) fn pop(&mut self) {
        self.text.pop();
    }

    /// Adds a word without digits, or a date if it is the name of a month or a weekday beside a number.
    ///
    /// `rest` is the text after the word.
    pub(super) fn push_word(&mut self, word: &str, rest: &str) {
        let starts_date = || {
            let rest = rest.trim_start_matches([',', ' ']);
            let next = rest.split([' ', ',']).next().unwrap_or_default();
            rest.starts_with(|c: char| c.is_ascii_digit()) || month(next)
        };
        if month(word) && self.text.ends_with("{n} ") {
            self.text.truncate(self.text.len() - "{n} ".len());
            self.put(TIME);
            self.is_in_date = true;
        } else if (month(word) || weekday(word)) && starts_date() {
            self.put(TIME);
            self.is_in_date = true;
        } else if !(time_zone(word) && self.text.ends_with("{time} ")) {
            self.push_counted(word);
            self.is_in_date = false;
        } else {
            self.text.pop();
        }
    }

    /// Joins a number at the end with the unit in the text after it. Returns the number of bytes that it read.
    pub(super) fn join_unit(&mut self, rest: &str) -> usize {
        if !self.text.ends_with(NUMBER) || !rest.starts_with(' ') {
            return 0;
        }
        let length = rest[1..].bytes().take(MAX_UNIT).take_while(|byte| is_word_byte(*byte)).count();
        let end = 1 + length;
        let is_part_of_name = rest.as_bytes().get(end).is_some_and(|byte| matches!(byte, b'_' | b'/' | b'=' | b'-'));
        let Some(unit) = rest.get(1..end).filter(|_| !is_part_of_name).and_then(spaced_unit) else { return 0 };
        self.text.truncate(self.text.len() - NUMBER.len());
        self.put(unit.placeholder());
        end
    }

    /// Adds a word. One that a number counts is added in the singular: `2 required arguments were given`.
    fn push_counted(&mut self, word: &str) {
        let is_counted = self.words_after_number < MAX_COUNTED && word.bytes().all(|byte| byte.is_ascii_lowercase());
        self.words_after_number = self.words_after_number.saturating_add(1);
        if is_counted && word == "were" {
            self.text.push_str("was");
        } else if is_counted && word.len() >= 4 {
            let singular = word.strip_suffix('s').filter(|stem| !stem.ends_with(['s', 'u', 'i'])).unwrap_or(word);
            match singular.strip_suffix("ie").filter(|_| singular.len() < word.len()) {
                Some(stem) => {
                    self.text.push_str(stem);
                    self.text.push('y');
                }
                None => self.text.push_str(singular),
            }
        } else {
            self.text.push_str(word);
        }
    }

    /// Adds a placeholder. A list of equal ones becomes one.
    pub(super) fn put(&mut self, placeholder: &'static str) {
        const BETWEEN: [&str; 5] = [", ", ",", " ", ".", " and "];
        let follows = |of: &str| {
            BETWEEN.iter().any(|between| self.text.strip_suffix(between).is_some_and(|list| list.ends_with(of)))
        };
        let belongs_to_date = placeholder == NUMBER && self.is_in_date && follows(TIME);
        if belongs_to_date || follows(placeholder) {
            let list = self.text.strip_suffix(" and ").unwrap_or(&self.text);
            let end = list.trim_end_matches([',', ' ', '.']).len();
            self.text.truncate(end);
            return;
        }
        self.is_in_date = false;
        if placeholder == NUMBER {
            self.words_after_number = 0;
        }
        self.text.push_str(placeholder);
    }
}

/// Returns whether a byte belongs to a word. All bytes of characters outside of ASCII do.
pub(super) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
}
