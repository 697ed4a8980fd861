//! The class of each byte, from one table: the passes over whole texts read each byte once.

/// The bits of a class that are equal for a capital and a small letter: 1 to 26 for a letter, [`DIGIT`], or 0.
pub(super) const LETTER: u8 = 31;

/// The value of [`LETTER`] bits for a digit.
pub(super) const DIGIT: u8 = 27;

/// Bits for the signs of URLs, of options, and of percent-encoding.
pub(super) const AT: u8 = 32;
pub(super) const HYPHEN: u8 = 64;
pub(super) const PERCENT: u8 = 128;

static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = class_of(byte as u8);
        byte += 1;
    }
    classes
};

/// Returns the class of a byte.
#[inline]
pub(super) fn class(byte: u8) -> u8 {
    CLASSES[usize::from(byte)]
}

/// Returns the class of a byte, where a table is not yet available.
pub(super) const fn class_of(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => DIGIT,
        b'a'..=b'z' | b'A'..=b'Z' => byte & LETTER,
        b'@' => AT,
        b'-' => HYPHEN,
        b'%' => PERCENT,
        _ => 0,
    }
}
