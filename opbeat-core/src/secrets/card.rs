//! Numbers of payment cards.

use std::borrow::Cow;

use super::REDACTED;

/// Masks runs of 14 to 19 digits, with spaces or dashes between them, that pass as card numbers.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, run)) = next_run(rest) {
        if is_card(run) {
            masked.push_str(&rest[..before]);
            masked.push_str(REDACTED);
        } else {
            masked.push_str(&rest[..before + run.len()]);
        }
        rest = &rest[before + run.len()..];
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    masked.push_str(rest);
    Cow::Owned(masked)
}

/// Finds the next run of digits, and the bytes before it.
fn next_run(text: &str) -> Option<(usize, &str)> {
    let at = text.find(|c: char| c.is_ascii_digit())?;
    let is_part = |c: char| c.is_ascii_digit() || c == ' ' || c == '-';
    let run = &text[at..];
    let end = run.find(|c: char| !is_part(c)).unwrap_or(run.len());
    Some((at, run[..end].trim_end_matches([' ', '-'])))
}

/// The check digit of card numbers: ISO/IEC 7812-1, the formula of Luhn. Times in milliseconds have 13 digits as well,
/// so that a card must begin as cards do.
fn is_card(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    if !(14..=19).contains(&digits.len()) || !(2..=6).contains(&digits[0]) {
        return false;
    }
    let doubled = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (1, twice) if twice > 9 => twice - 9,
        (1, twice) => twice,
        _ => *digit,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}
