//! Decides in one pass over the bytes of a text which kinds of secrets it may contain.
//!
//! Most texts contain none. Without this pass, each kind would cost a pass of its own.

use crate::classes::{AT, DIGIT, HYPHEN, PERCENT, class};
use crate::names::{self, Trigram};
use crate::tokens::{self, Window};

/// The kinds of secrets that a text may contain.
pub(super) struct Contents {
    /// A secret name, or the credentials of a URL.
    pub(super) pairs: bool,
    /// A token of a known form.
    pub(super) tokens: bool,
    /// An option of a command line.
    pub(super) options: bool,
    /// The number of digits.
    pub(super) digits: usize,
}

impl Contents {
    pub(super) fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut pass = Pass::default();
        let (mut has_name, mut has_token) = (false, false);
        while let Some(hit) = pass.next(bytes) {
            has_name = has_name || (hit.is_name && names::may_begin(bytes, hit.at, pass.trigram));
            has_token = has_token || (hit.is_token && hit.at >= 2 && tokens::begins(bytes, hit.at - 2));
        }
        let signs = pass.signs;
        let has_url = (signs & AT != 0
            && (text.contains("://") || text.contains(":\\/\\/") || text.contains(":thin:")))
            || (signs & PERCENT != 0 && text.contains("%40"));
        Self { pairs: has_name || has_url, tokens: has_token, options: signs & HYPHEN != 0, digits: pass.digits }
    }
}

/// A pass over the bytes that stops where a name or a token may begin.
#[derive(Default)]
struct Pass {
    trigram: Trigram,
    window: Window,
    /// The position of the next byte.
    at: usize,
    /// The classes of all bytes so far.
    signs: u8,
    digits: usize,
}

struct Hit {
    /// The position of the third letter or byte.
    at: usize,
    is_name: bool,
    is_token: bool,
}

impl Pass {
    /// Returns the next hit. It is a function of its own so that the compiler keeps the state in registers.
    #[inline(never)]
    fn next(&mut self, bytes: &[u8]) -> Option<Hit> {
        let Self { mut trigram, mut window, mut signs, mut digits, .. } = *self;
        for (at, &byte) in bytes.iter().enumerate().skip(self.at) {
            let class = class(byte);
            signs |= class;
            digits += usize::from(class == DIGIT);
            let (is_name, is_token) = (trigram.push(class), window.push(byte));
            // A single branch, which is rarely taken.
            if is_name | is_token {
                *self = Self { trigram, window, at: at + 1, signs, digits };
                return Some(Hit { at, is_name, is_token });
            }
        }
        *self = Self { trigram, window, at: bytes.len(), signs, digits };
        None
    }
}
