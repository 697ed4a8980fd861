//! The rule for whether two error reports describe the same failure.
//!
//! A transaction uses it to choose its primary error, and the pipeline to merge reports. One failure often has several
//! reports: it is logged, wrapped, returned, and responded to with a 500.
//!
//! The rule prefers identity to text: a captured error keeps its id however often it is reported. An application that
//! logs an error and then returns it makes two values without a shared identity, and so their texts are compared. The
//! address of an error is no identity: the next error often has the same one.

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
        // A report below `Level::Error` describes no failure, even if the texts match. Only its own repetitions are
        // equal.
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
            // A log event or a captured message contains the error's message, or any report contains a panic's message.
            // The message of an error may contain the one of an unrelated error: "timeout" occurs in many.
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
            response_headers: Vec::new(),
            user: None,
            tags: Vec::new(),
            extra: Vec::new(),
            log: Vec::new(),
            other_texts: self.other_texts.clone(),
            long_poll: None,
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::record::{Cause, ErrorId, Level, Location, Stack};

    /// Makes a report with a random id: a captured message.
    fn message(text: &str) -> ErrorRecord {
        ErrorRecord {
            id: ErrorId(fastrand::u128(..)),
            happened_at: SystemTime::UNIX_EPOCH,
            origin: Origin::Captured,
            occurrences: 1,
            level: Level::Error,
            type_name: None,
            module: None,
            message: text.to_owned(),
            causes: Vec::new(),
            location: None,
            culprit: None,
            stack: Stack::default(),
            transaction: None,
            request: None,
            response_headers: Vec::new(),
            user: None,
            tags: Vec::new(),
            extra: Vec::new(),
            log: Vec::new(),
            other_texts: Vec::new(),
            long_poll: None,
        }
    }

    fn error(type_name: &str, text: &str) -> ErrorRecord {
        ErrorRecord { type_name: Some(type_name.to_owned()), ..message(text) }
    }

    fn wrapped(text: &str, cause: &str) -> ErrorRecord {
        let causes = vec![Cause { type_name: "Error".to_owned(), message: cause.to_owned() }];
        ErrorRecord { causes, ..error("CheckoutError", text) }
    }

    fn debug(type_name: &str, text: &str, debug: &str) -> ErrorRecord {
        ErrorRecord { other_texts: vec![debug.to_owned()], ..error(type_name, text) }
    }

    fn log(text: &str, field: &str) -> ErrorRecord {
        ErrorRecord { origin: Origin::Logged, other_texts: vec![field.to_owned()], ..message(text) }
    }

    fn status() -> ErrorRecord {
        ErrorRecord { origin: Origin::Status, ..error("HTTP 500", "the application responded with 500") }
    }

    fn panic(text: &str) -> ErrorRecord {
        ErrorRecord { origin: Origin::Panicked, level: Level::Fatal, ..error("panic", text) }
    }

    fn warning(text: &str) -> ErrorRecord {
        ErrorRecord { level: Level::Warning, ..message(text) }
    }

    fn at(line: u32, record: ErrorRecord) -> ErrorRecord {
        ErrorRecord { location: Some(Location { file: "src/cart.rs".into(), line, column: 1 }), ..record }
    }

    #[test]
    fn the_rule() {
        let timeout = || error("IoError", "timeout");
        let reading = || error("IoError", "timeout while reading book");
        let captured = error("IoError", "no shelf");
        let again = ErrorRecord { message: "renamed".to_owned(), ..captured.clone() };
        let cases = [
            ("the same captured error, reported twice", captured, again, true),
            ("the same message, captured twice", timeout(), timeout(), true),
            ("an error that wraps the other one", wrapped("no checkout", "timeout"), timeout(), true),
            ("an error that only contains the other one's message", reading(), timeout(), false),
            ("a captured message that contains the message", message("no book: timeout"), timeout(), true),
            ("a log event that contains the message", log("no book: timeout", ""), timeout(), true),
            ("a log event with a longer word", log("there were timeouts", ""), timeout(), false),
            ("a log event with the error in a field", log("no book", "timeout"), timeout(), true),
            (
                "a log event with the `Debug` output",
                log("no book", "Io(Timeout)"),
                debug("E", "slow", "Io(Timeout)"),
                true,
            ),
            ("an error with the same `Debug` output", debug("E", "late", "Io"), debug("E", "slow", "Io"), false),
            ("a short message inside another one", log("no io here", ""), error("E", "io"), false),
            ("the same short message of the same type", error("E", "io"), error("E", "io"), true),
            ("the same short message of another type", error("E", "io"), error("F", "io"), false),
            ("a bare status", status(), timeout(), true),
            ("an error that contains a panic's message", reading(), panic("timeout"), true),
            ("two panics with the same message", panic("timeout"), panic("timeout"), false),
            ("a warning with the same message", warning("timeout"), timeout(), false),
            ("two warnings", warning("timeout"), warning("timeout"), false),
            ("a repeated warning", at(7, warning("timeout")), at(7, warning("timeout")), true),
        ];
        for (name, one, other, expected) in cases {
            assert_eq!(one.is_same_failure(&other), expected, "{name}");
            assert_eq!(other.is_same_failure(&one), expected, "{name}, the other way round");
            if one.location.is_none() {
                // The primary error of a transaction is compared without its details.
                assert_eq!(one.without_details().is_same_failure(&other), expected, "{name}, without details");
            }
        }
    }

    #[test]
    fn a_failing_loop_repeats_a_failure() {
        let no_shelf = |line| at(line, error("IoError", "no shelf"));
        assert!(no_shelf(7).is_repeated_by(&no_shelf(7)));
        assert!(!no_shelf(7).is_repeated_by(&no_shelf(8)), "another line");
        let captured = no_shelf(7);
        assert!(!captured.is_repeated_by(&captured.clone()), "the same captured error");
    }
}
