//! The text of an error, as an extra value of a span.

use std::error::Error;
#[cfg(feature = "tower")]
use std::fmt::Display;

use opbeat_core::http::{display_output, error_chain};

use crate::urls::{MAX_TEXT, shown};

/// Returns the messages of an error and its sources, the outermost first.
pub(crate) fn chain_text(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for message in error_chain(error).map(|error| without_own_url(display_output(&error))) {
        // Many errors include the message of their source.
        if message.is_empty() || text.contains(&message) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&message);
        if text.len() > MAX_TEXT {
            break;
        }
    }
    shown(text)
}

/// Removes the URL that reqwest appends, because the span shows it anyway.
fn without_own_url(mut message: String) -> String {
    if message.ends_with(')')
        && let Some(url) = message.find(" for url (")
    {
        message.truncate(url);
    }
    message
}

/// Returns the text of an error of an unknown type.
#[cfg(feature = "tower")]
pub(crate) fn display_text(error: &impl Display) -> String {
    shown(display_output(error))
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Chain(&'static str, Option<Box<Self>>);

    impl fmt::Display for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Chain {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|source| source as _)
        }
    }

    #[test]
    fn a_message_that_includes_its_source_is_shown_once() {
        let refused = || Some(Box::new(Chain("connection refused", None)));
        assert_eq!(chain_text(&Chain("client error", refused())), "client error: connection refused");
        assert_eq!(chain_text(&Chain("cannot send: connection refused", refused())), "cannot send: connection refused");
    }
}
