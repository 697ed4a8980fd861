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
        let (mut trigram, mut window) = (Trigram::default(), Window::default());
        let (mut has_name, mut has_token, mut signs, mut digits) = (false, false, 0, 0);
        for (at, &byte) in bytes.iter().enumerate() {
            let class = class(byte);
            signs |= class;
            digits += usize::from(class == DIGIT);
            let (may_be_name, may_be_token) = (trigram.push(class), window.push(byte));
            // A single branch, which is rarely taken.
            if may_be_name | may_be_token {
                has_name |= may_be_name && !has_name && names::may_begin(bytes, at);
                has_token |= may_be_token && at >= 2 && !has_token && tokens::begins(bytes, at - 2);
            }
        }
        let has_url = (signs & AT != 0
            && (text.contains("://") || text.contains(":\\/\\/") || text.contains(":thin:")))
            || (signs & PERCENT != 0 && text.contains("%40"));
        Self { pairs: has_name || has_url, tokens: has_token, options: signs & HYPHEN != 0, digits }
    }
}
