//! Numbers of payment cards.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};

use crate::rules::REDACTED;

/// The number of digits in a card number.
const LENGTHS: RangeInclusive<usize> = 13..=19;

/// The minimum number of digits in a text that contains a card number.
pub(super) const MIN_DIGITS: usize = *LENGTHS.start();

/// The length of the first group, where a card number is written in groups.
const FIRST_GROUP: usize = 4;

/// The maximum length of each later group.
const MAX_GROUP: usize = 7;

/// Masks card numbers, written in one piece or in groups, even if other numbers stand next to them.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut masked, mut done, mut at) = (String::new(), 0, 0);
    while let Some(group) = next_group(bytes, at) {
        at = group.end;
        if let Some(end) = card_end(bytes, &group) {
            masked.push_str(&text[done..group.start]);
            masked.push_str(REDACTED);
            (done, at) = (end, end);
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[done..]);
    Cow::Owned(masked)
}

/// Returns the next run of digits.
fn next_group(bytes: &[u8], from: usize) -> Option<Range<usize>> {
    let start = from + bytes[from..].iter().position(u8::is_ascii_digit)?;
    Some(start..start + digits(&bytes[start..]))
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Returns the end of the longest card number that starts with the group.
fn card_end(bytes: &[u8], group: &Range<usize>) -> Option<usize> {
    let is_in_word = group.start > 0 && is_word(bytes[group.start - 1]);
    if is_in_word || group.len() > *LENGTHS.end() {
        return None;
    }
    let is_first = group.len() == FIRST_GROUP;
    let (mut number, mut group, mut found) = (Vec::new(), group.clone(), None);
    loop {
        number.extend(bytes[group.clone()].iter().map(|digit| digit - b'0'));
        let is_whole = bytes.get(group.end).is_none_or(|next| !is_word(*next));
        if is_whole && is_card(&number) {
            found = Some(group.end);
        }
        let next = is_first.then(|| following(bytes, &group)).flatten();
        let Some(next) = next.filter(|next| number.len() + next.len() <= *LENGTHS.end()) else { return found };
        group = next;
    }
}

/// Returns the group that follows another, after one or two separators.
fn following(bytes: &[u8], group: &Range<usize>) -> Option<Range<usize>> {
    let gap = bytes[group.end..].iter().take(2).take_while(|byte| b" -+.".contains(byte)).count();
    let start = group.end + gap;
    let length = digits(&bytes[start..bytes.len().min(start + MAX_GROUP + 1)]);
    let are_groups = gap > 0 && (1..=MAX_GROUP).contains(&length);
    are_groups.then_some(start..start + length)
}

/// Returns whether the byte belongs to a word: digits inside a word are part of a hash or an id.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Returns whether the digits are a card number: an issuer's prefix and length, and a valid check digit.
///
/// The check digit is the one of ISO/IEC 7812-1 (Luhn's formula).
fn is_card(number: &[u8]) -> bool {
    if !LENGTHS.contains(&number.len()) || !issuer_lengths(number).contains(&number.len()) {
        return false;
    }
    let doubled = |(position, digit): (usize, &u8)| match (position % 2, digit * 2) {
        (1, twice) if twice > 9 => u32::from(twice - 9),
        (1, twice) => u32::from(twice),
        _ => u32::from(*digit),
    };
    number.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

/// Returns the valid lengths for the issuer's prefix. Timestamps and ids of such a length mostly have other prefixes.
fn issuer_lengths(number: &[u8]) -> &'static [usize] {
    let prefix = number.iter().take(4).fold(0, |prefix: u32, digit| prefix * 10 + u32::from(*digit));
    match prefix {
        4000..=4999 => &[13, 16, 19],
        5100..=5599 | 2221..=2720 => &[16],
        3400..=3499 | 3700..=3799 => &[15],
        3000..=3059 | 3600..=3699 | 3800..=3999 => &[14, 16, 17, 18, 19],
        3528..=3589 | 6011 | 6200..=6299 | 6440..=6599 => &[16, 17, 18, 19],
        5000..=5099 | 5600..=5999 | 6000..=6999 => &[13, 14, 15, 16, 17, 18, 19],
        _ => &[],
    }
}
