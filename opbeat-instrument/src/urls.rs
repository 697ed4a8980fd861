//! The URLs in the text of an error.

/// Longer texts are cut to this many bytes.
pub(crate) const MAX_TEXT: usize = 256;

/// Removes the queries and the user info of URLs, because they may contain secrets, and cuts the text.
pub(crate) fn shown(text: String) -> String {
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
        let query = url.find(['?', '#']).unwrap_or(url.len());
        out.push_str(before);
        out.push_str(match url.rfind('@') {
            // It ends a password that contains `?`, or it is in a query: one side is secret, and it is unknown which.
            Some(at) if at > query => "…",
            // A password may contain a slash, so the last `@` counts, even if it is in the path.
            Some(at) => &url[at + 1..query],
            None => &url[..query],
        });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_secrets() {
        let text = |text: &str| shown(text.to_owned());
        assert_eq!(
            text("no route (http://ada:pw@h.example:80/a?token=1#x), https://h?a=b"),
            "no route (http://h.example:80/a), https://h"
        );
        assert_eq!(text("cannot connect to amqp://guest:pass/word@h"), "cannot connect to amqp://h");
        assert_eq!(text("amqp://guest:pa?ss@h (refused)"), "amqp://… (refused)");
        assert_eq!(text("https://h/a?password=p@ss"), "https://…");
        assert_eq!(text("ends with ://"), "ends with ://");
        assert_eq!(text(&"é".repeat(MAX_TEXT)).len(), MAX_TEXT);
    }
}
