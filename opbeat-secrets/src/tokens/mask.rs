//! Finds tokens in one pass: a table of all first three bytes decides at which positions a token may begin.

use std::borrow::Cow;
use std::ops::Range;

use super::forms::{FORMS, Form};
use super::marks::{MARKS, Mark};
use crate::escapes;
use crate::rules::REDACTED;

/// The number of bits that the first three bytes of a token are mapped to. No two prefixes share a value.
const BITS: u32 = 13;

/// The odd factor that maps them. It is chosen so that no two prefixes share a slot, which the compiler checks, and that
/// 1 % of the bytes of usual text hit one.
const FACTOR: u32 = 0x75a8_9295;

/// A number in [`SLOTS`] from which on it stands for a mark, not for a form.
const FIRST_MARK: usize = 200;

/// For each value that three bytes are mapped to: 0, or one more than the number of the first form that begins with
/// them, or the number of a mark.
static SLOTS: [u8; 1 << BITS] = slots();

/// The last three bytes of a text that is read byte by byte, in the upper bytes of the number.
#[derive(Clone, Copy, Default)]
pub(crate) struct Window(u32);

impl Window {
    /// Appends a byte. Returns whether a token may begin with the last three bytes.
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) -> bool {
        self.0 = (self.0 | u32::from(byte)) << 8;
        SLOTS[slot(self.0)] != 0
    }
}

/// Returns whether a token begins at `at`, or a mark that a token may follow.
pub(crate) fn begins(text: &[u8], at: usize) -> bool {
    mark(text, at).is_some() || form(text, at).is_some()
}

/// Masks tokens of a known form, credentials after `Bearer` and `Basic`, and private keys.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut masked, mut done, mut window) = (String::new(), 0, Window::default());
    for (last, byte) in bytes.iter().enumerate() {
        if !window.push(*byte) || last < done + 2 {
            continue;
        }
        let at = last - 2;
        if let Some(secret) = known(bytes, at).or_else(|| mark(bytes, at).and_then(|mark| (mark.secret)(text, at))) {
            masked.push_str(&text[done..secret.start]);
            masked.push_str(REDACTED);
            done = secret.end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[done..]);
    Cow::Owned(masked)
}

/// Returns the mark at `at`.
fn mark(text: &[u8], at: usize) -> Option<&'static Mark> {
    let mark = MARKS.get(number(text, at)?.checked_sub(FIRST_MARK)?)?;
    text[at..].starts_with(mark.text.as_bytes()).then_some(mark)
}

/// Returns the form of the token at `at`.
fn form(text: &[u8], at: usize) -> Option<&'static Form> {
    let forms = FORMS.get(number(text, at)?.checked_sub(1)?..)?;
    let rest = &text[at..];
    // Most bytes that share the slot are others.
    if rest[..2] != forms[0].prefix.as_bytes()[..2] {
        return None;
    }
    // The forms that begin with the same three bytes stand together.
    let mut alike = forms.iter().take_while(|form| is_alike(form.prefix.as_bytes(), forms[0].prefix.as_bytes()));
    let is_known =
        |form: &&Form| rest.starts_with(form.prefix.as_bytes()) && is_token(form, &rest[form.prefix.len()..]);
    alike.find(is_known).filter(|_| begins_word(text, at))
}

/// Returns the number that [`SLOTS`] has for the three bytes at `at`.
fn number(text: &[u8], at: usize) -> Option<usize> {
    let first = text.get(at..at + 3)?;
    Some(SLOTS[slot(bytes(first))].into())
}

/// Returns the token of a known form at `at`.
fn known(text: &[u8], at: usize) -> Option<Range<usize>> {
    let form = form(text, at)?;
    let start = at + form.prefix.len();
    let length = text[start..].iter().take_while(|byte| form.characters.contain(**byte)).count();
    // A full stop at the end ends the sentence.
    let dots = text[start..start + length].iter().rev().take_while(|byte| **byte == b'.').count();
    Some(if form.keeps_prefix { start } else { at }..start + length - dots)
}

/// Returns whether the text after the prefix is long enough. Only its start is read, so that the time stays linear.
fn is_token(form: &Form, rest: &[u8]) -> bool {
    const SEARCHED: usize = 64;
    let length = rest.iter().take(SEARCHED).take_while(|byte| form.characters.contain(**byte)).count();
    length >= form.min && (!form.needs_digit || rest[..length].iter().any(u8::is_ascii_digit))
}

/// Returns whether a token can begin at `at`: inside a word, the same letters are a part of the word.
fn begins_word(text: &[u8], at: usize) -> bool {
    let is_inside = at > 0 && text[at - 1].is_ascii_alphanumeric();
    !is_inside || escapes::at_end(&text[..at]) > 0
}

const fn slot(bytes: u32) -> usize {
    (bytes.wrapping_mul(FACTOR) >> (32 - BITS)) as usize
}

const fn bytes(first: &[u8]) -> u32 {
    ((first[0] as u32) << 24) | ((first[1] as u32) << 16) | (first[2] as u32) << 8
}

/// Returns whether two prefixes begin with the same bytes: three, or all of a shorter one.
const fn is_alike(a: &[u8], b: &[u8]) -> bool {
    let is_short = a.len() < 3 || b.len() < 3;
    a[0] == b[0] && a[1] == b[1] && (if is_short { a.len() == b.len() } else { a[2] == b[2] })
}

const fn slots() -> [u8; 1 << BITS] {
    let mut slots = [0; 1 << BITS];
    let mut at = 0;
    while at < FORMS.len() {
        let prefix = FORMS[at].prefix.as_bytes();
        if at == 0 || !is_alike(prefix, FORMS[at - 1].prefix.as_bytes()) {
            let mut byte = 0_u8;
            while byte < u8::MAX {
                let is_first = if prefix.len() > 2 { byte == prefix[2] } else { FORMS[at].characters.contain(byte) };
                if is_first {
                    fill(&mut slots, &[prefix[0], prefix[1], byte], at + 1);
                }
                byte += 1;
            }
        }
        at += 1;
    }
    let mut at = 0;
    while at < MARKS.len() {
        let is_new = at == 0 || !is_alike(MARKS[at].text.as_bytes(), MARKS[at - 1].text.as_bytes());
        assert!(is_new, "no two marks begin with the same bytes");
        fill(&mut slots, MARKS[at].text.as_bytes(), FIRST_MARK + at);
        at += 1;
    }
    assert!(FORMS.len() < FIRST_MARK && FIRST_MARK + MARKS.len() <= u8::MAX as usize, "the numbers are bytes");
    slots
}

const fn fill(slots: &mut [u8; 1 << BITS], first: &[u8], number: usize) {
    let slot = slot(bytes(first));
    assert!(slots[slot] == 0, "forms with the same first bytes stand together, and no others share their slot");
    slots[slot] = number as u8;
}
