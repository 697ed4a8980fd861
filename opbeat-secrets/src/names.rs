//! The built-in names whose values are secret.
//!
//! Nearly all names and texts contain no secret name. One pass over the bytes with a table of trigrams finds that out:
//! the first three letters of each part and word below, in lower case and without separators.

use crate::classes::{LETTER, class, class_of};
use crate::escapes;

/// Parts of secret names, in lower case and without separators.
const PARTS: [&str; 25] = [
    "passw",
    "pswd",
    "dbpass",
    "keypass",
    "storepass",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "accountkey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "credential",
    "session",
    "sessid",
    "csrf",
    "xsrf",
    "cookie",
    "cardnumber",
    "creditcard",
    "signature",
];

/// Words that are secret only as whole words, since they also occur inside others: `pin` in `opinion`.
const WORDS: [&str; 12] = ["pass", "pwd", "pw", "pin", "otp", "totp", "jwt", "sid", "sig", "cvv", "cvc", "ssn"];

/// Text in front of a secret that is no name. It is only a reason to search the text.
const OTHERS: [&str; 1] = ["identified"];

const AUTH: &str = "auth";

/// The number of trigrams: three classes of five bits each.
const TRIGRAMS: usize = 1 << 15;

/// A bit for each trigram that begins a part or a word.
static BEGINS: [u64; TRIGRAMS / 64] = begins();

/// The trigram of each part.
static PART_TRIGRAMS: [usize; PARTS.len()] = part_trigrams();

/// The last three letters and digits of a text that is read byte by byte, without the separators between them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Trigram(usize);

impl Trigram {
    /// Appends a byte, given its class. Returns whether a part or a word may begin with the trigram that it completes.
    #[inline]
    pub(crate) fn push(&mut self, class: u8) -> bool {
        let letter = usize::from(class & LETTER);
        let next = (self.0 << 5) | letter;
        // Without a branch: whether a byte is a separator cannot be predicted.
        self.0 = if letter == 0 { self.0 } else { next };
        let trigram = next % TRIGRAMS;
        (BEGINS[trigram / 64] >> (trigram % 64)) & 1 != 0
    }

    fn value(self) -> usize {
        self.0 % TRIGRAMS
    }

    fn begins(self, part: &str) -> bool {
        self.value() == trigram(part.as_bytes())
    }
}

/// The kind of name that begins with a trigram.
enum Found {
    /// A part of a secret name, so the whole name is secret.
    Part,
    /// A word, which is secret unless other letters surround it.
    Word,
}

/// Returns whether the value of a header, query parameter, tag or variable of this name is secret.
///
/// Does not allocate. The time is linear in the length of the name.
///
/// # Examples
///
/// ```
/// use opbeat_secrets::is_secret_name;
///
/// assert!(is_secret_name("Set-Cookie") && is_secret_name("HTTP_X_API_KEY") && is_secret_name("userPin"));
/// assert!(!is_secret_name("author") && !is_secret_name("opinion"));
/// ```
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let (mut trigram, mut has_word) = (Trigram::default(), false);
    for (at, byte) in bytes.iter().enumerate() {
        if trigram.push(class(*byte)) {
            match found(bytes, at, trigram) {
                Some(Found::Part) => return true,
                Some(Found::Word) => has_word = true,
                None => {}
            }
        }
    }
    has_word && words(name).any(is_secret_word)
}

/// Returns whether a secret name may begin with the trigram that ends at `at`, as [`Trigram::push`] reports it.
pub(crate) fn may_begin(text: &[u8], at: usize, trigram: Trigram) -> bool {
    found(text, at, trigram).is_some()
        || OTHERS.iter().any(|other| trigram.begins(other) && is_followed(text, at, other))
}

/// Returns the words of a name. The last word of `userPin`, `user_pin` and `user%5Bpin%5D` is `pin`.
pub(crate) fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = after_separators(rest);
        let (word, tail) = rest.split_at(word_length(rest.as_bytes()));
        rest = tail;
        (!word.is_empty()).then_some(word)
    })
}

const fn begins() -> [u64; TRIGRAMS / 64] {
    let mut bits = [0; TRIGRAMS / 64];
    let lists: [&[&str]; 4] = [&PARTS, &WORDS, &OTHERS, &[AUTH]];
    let mut list = 0;
    while list < lists.len() {
        let mut item = 0;
        while item < lists[list].len() {
            add(&mut bits, lists[list][item].as_bytes());
            item += 1;
        }
        list += 1;
    }
    bits
}

const fn add(bits: &mut [u64; TRIGRAMS / 64], text: &[u8]) {
    if text.len() > 2 {
        let trigram = trigram(text);
        bits[trigram / 64] |= 1 << (trigram % 64);
        return;
    }
    // A word of two letters ends a trigram with any first letter.
    let mut before = 0;
    while before < 32 {
        let trigram = (before << 10) | ((class_of(text[0]) as usize) << 5) | class_of(text[1]) as usize;
        bits[trigram / 64] |= 1 << (trigram % 64);
        before += 1;
    }
}

/// Returns the trigram of the first three letters.
const fn trigram(text: &[u8]) -> usize {
    ((class_of(text[0]) as usize) << 10) | ((class_of(text[1]) as usize) << 5) | class_of(text[2]) as usize
}

const fn part_trigrams() -> [usize; PARTS.len()] {
    let mut trigrams = [0; PARTS.len()];
    let mut at = 0;
    while at < PARTS.len() {
        trigrams[at] = trigram(PARTS[at].as_bytes());
        at += 1;
    }
    trigrams
}

fn found(text: &[u8], at: usize, trigram: Trigram) -> Option<Found> {
    let is = |part: &str| is_followed(text, at, part);
    // An `author` is public, as is the challenge in `WWW-Authenticate`. `auth` and `authorization` carry credentials.
    let is_auth = || {
        trigram.begins(AUTH) && is(AUTH) && !is("authenticate") && (!is("author") || is("authoriz") || is("authoris"))
    };
    let mut parts = PARTS.iter().zip(PART_TRIGRAMS).filter(|(_, begin)| *begin == trigram.value());
    if parts.any(|(part, _)| is(part)) || is_auth() {
        return Some(Found::Part);
    }
    WORDS.iter().any(|word| may_be_word(text, at, word.as_bytes())).then_some(Found::Word)
}

/// Returns whether the letters of the part after its trigram follow in the text, with or without separators.
fn is_followed(text: &[u8], at: usize, part: &str) -> bool {
    let mut letters = text[at + 1..].iter().filter(|byte| byte.is_ascii_alphanumeric());
    part.bytes().skip(3).all(|byte| letters.next().is_some_and(|letter| letter.to_ascii_lowercase() == byte))
}

/// Returns whether the word may stand alone in the text. Letters of the same case around it make it a part of another
/// word. An escape in front is a separator.
fn may_be_word(text: &[u8], at: usize, word: &[u8]) -> bool {
    let Some(start) = (at + 1).checked_sub(word.len().min(3)) else { return false };
    let end = start + word.len();
    let is_same = text.get(start..end).is_some_and(|found| found.eq_ignore_ascii_case(word));
    let is_inside = |near: Option<&u8>, own: u8| near.is_some_and(u8::is_ascii_lowercase) && own.is_ascii_lowercase();
    let before = start.checked_sub(1).and_then(|before| text.get(before));
    is_same
        && !is_inside(text.get(end), text[end - 1])
        && (!is_inside(before, text[start]) || escapes::at_end(&text[..start]) > 0)
}

/// Returns whether the word is secret. Digits at the end number a form field, as in `pin2`, and are ignored.
fn is_secret_word(word: &str) -> bool {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret))
}

/// Removes separators from the start of a text. A percent-encoded byte is a separator too.
fn after_separators(mut text: &str) -> &str {
    while let Some(first) = text.chars().next().filter(|first| !first.is_alphanumeric()) {
        let digits = text.as_bytes().get(1..3).filter(|_| first == '%');
        let is_escape = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        text = &text[if is_escape { 3 } else { first.len_utf8() }..];
    }
    text
}

/// Returns the length of the first word. A capital letter starts another word: `userPin`, `PINCode`.
fn word_length(text: &[u8]) -> usize {
    let is_upper = |at: usize| text.get(at).is_some_and(u8::is_ascii_uppercase);
    let is_lower = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let is_end = |at: &usize| {
        let is_word = text[*at].is_ascii_alphanumeric() || !text[*at].is_ascii();
        !is_word || (*at > 0 && is_upper(*at) && (!is_upper(at - 1) || is_lower(at + 1)))
    };
    (0..text.len()).find(is_end).unwrap_or(text.len())
}
