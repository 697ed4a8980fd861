//! The rule for whether two error reports describe the same failure.
//!
//! A transaction uses it to choose its primary error, and the pipeline to merge reports. One failure often has several
//! reports: it is logged, wrapped, returned, and responded to with a 500.
//!
//! The rule prefers identity to text: a captured error keeps its id however often it is reported. An application that logs
//! an error and then returns it makes two values without a shared identity, and so their texts are compared. The address of
//! an error is no identity: the next error often has the same one.

use super::{ErrorRecord, Origin};

/// Shorter messages occur in unrelated texts by chance, so they are compared as a whole only.
const SHORTEST_CONTAINED: usize = 4;

impl ErrorRecord {
    /// Returns whether both reports, which come from the same transaction, describe the same failure.
    pub(crate) fn is_same_failure(&self, other: &Self) -> bool {
        // The same captured error was reported twice.
        if self.id == other.id {
            return true;
        }
        // A report below `Level::Error` describes no failure, even if the texts match. Only its own repetitions are equal.
        if !(self.level.is_failure() && other.level.is_failure()) {
            return self.level == other.level && self.is_repeated_by(other);
        }
        // A status without an error has the failure of its transaction as its cause, and that is the other report.
        if self.origin == Origin::Status || other.origin == Origin::Status {
            return true;
        }
        // A panic is reported once, by the hook. A second panic with the same message is another failure.
        if self.origin == Origin::Panicked && other.origin == Origin::Panicked {
            return false;
        }
        self.describes(other) || other.describes(self)
    }

    /// Returns whether both reports come from the same source line, with the same stack and message: a failing loop.
    ///
    /// These are two failures. One failure has reports from several lines.
    pub(crate) fn is_repeated_by(&self, other: &Self) -> bool {
        self.id != other.id
            && self.location.is_some()
            && self.location == other.location
            && self.stack == other.stack
            && self.message == other.message
    }

    /// Returns whether this report contains the failure `inner`: as its own message, as a cause, or in a text about it.
    fn describes(&self, inner: &Self) -> bool {
        if inner.message.len() < SHORTEST_CONTAINED {
            return self.message == inner.message && self.type_name == inner.type_name;
        }
        // The same error was captured twice: both reports have its message.
        self.message == inner.message
            // The error was wrapped in another one, which returns it from `source()`.
            || self.causes.iter().any(|cause| cause.message == inner.message)
            // A log event or a captured message contains the error's message, or any report contains a panic's message. The
            // message of an error may contain the one of an unrelated error: "timeout" occurs in many.
            || (self.is_about_another_error(inner) && contains_words(&self.message, &inner.message))
            // A log event contains the error in a field, or as `Debug` prints it.
            || self.logs(inner)
    }

    fn is_about_another_error(&self, inner: &Self) -> bool {
        self.origin < Origin::Captured || self.type_name.is_none() || inner.origin == Origin::Panicked
    }

    fn logs(&self, inner: &Self) -> bool {
        let contains =
            |text: &String| self.other_texts.iter().chain([&self.message]).any(|own| contains_words(own, text));
        let is_contained = |text: &String| text.len() >= SHORTEST_CONTAINED && contains(text);
        self.origin == Origin::Logged && (contains(&inner.message) || inner.other_texts.iter().any(is_contained))
    }

    /// Copies the parts that [`is_same_failure`](Self::is_same_failure) reads, without stack and values.
    pub(crate) fn without_details(&self) -> Self {
        Self {
            id: self.id,
            happened_at: self.happened_at,
            origin: self.origin,
            occurrences: self.occurrences,
            level: self.level,
            type_name: self.type_name.clone(),
            module: None,
            message: self.message.clone(),
            causes: self.causes.clone(),
            location: None,
            culprit: None,
            stack: super::Stack::default(),
            transaction: None,
            request: None,
            user: None,
            tags: Vec::new(),
            extra: Vec::new(),
            other_texts: self.other_texts.clone(),
        }
    }
}

/// Returns whether a text contains another one as whole words: "a timeout" contains "timeout", and "timeouts" does not.
fn contains_words(text: &str, words: &str) -> bool {
    let is_within_word = |inside: Option<char>, outside: Option<char>| {
        inside.is_some_and(char::is_alphanumeric) && outside.is_some_and(char::is_alphanumeric)
    };
    text.match_indices(words).any(|(start, found)| {
        let (before, after) = (text[..start].chars().next_back(), text[start + found.len()..].chars().next());
        !is_within_word(words.chars().next(), before) && !is_within_word(words.chars().next_back(), after)
    })
}
