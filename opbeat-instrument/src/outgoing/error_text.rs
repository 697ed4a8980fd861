//! The text of an error, as an extra value of a span.

use std::error::Error;
#[cfg(feature = "tower")]
use std::fmt::Display;

use opbeat_core::http::{display_output, error_chain};

/// Longer texts are cut to this many bytes.
const MAX_TEXT: usize = 256;

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

/// Removes the queries and the user info of URLs, because they may contain secrets, and cuts the text.
fn shown(text: String) -> String {
    let mut shown = if text.contains("://") { without_secrets(&text) } else { text };
    shown.truncate(shown.floor_char_boundary(MAX_TEXT));
    shown
}

fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(scheme) = rest.find("://") {
        let (before, url) = rest.split_at(scheme + "://".len());
        let end = url.find(|character: char| character.is_whitespace() || "()<>\"'`".contains(character));
        let (url, after) = url.split_at(end.unwrap_or(url.len()));
        let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
        // A password may contain a slash, so the last `@` counts, even if it is in the path.
        let user_info = url.rfind('@').map_or(0, |at| at + 1);
        out.push_str(before);
        out.push_str(&url[user_info..]);
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[test]
    fn urls_lose_their_secrets() {
        let text = |text: &str| shown(text.to_owned());
        assert_eq!(
            text("no route (http://ada:pw@h.example:80/a?token=1#x), https://h?a=b"),
            "no route (http://h.example:80/a), https://h"
        );
        assert_eq!(text("cannot connect to amqp://guest:pass/word@h"), "cannot connect to amqp://h");
        assert_eq!(text("ends with ://"), "ends with ://");
        assert_eq!(text(&"é".repeat(MAX_TEXT)).len(), MAX_TEXT);
    }

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
