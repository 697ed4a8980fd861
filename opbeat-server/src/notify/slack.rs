//! Messages for Slack, and for servers that take the same messages, such as Mattermost, Rocket.Chat and Discord.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::failure::Failure;
use super::outgoing::Outgoing;
use crate::notification::{About, Message};

/// Posts a message.
pub(super) async fn send(outgoing: &Outgoing, target: &str, message: &Message, base: &str) -> Result<(), Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    outgoing.post(target, headers, text(message, base).to_string()).await
}

fn text(message: &Message, base: &str) -> Value {
    let headline = format!("<{base}{}|{}>", message.path(), escaped(&message.headline()));
    let mut lines = vec![headline, escaped(&message.summary())];
    if let About::Error(error) = &message.about
        && error.assignee.is_some()
        && !error.reason.is_empty()
    {
        lines.push(escaped(&format!("Assigned because {}.", error.reason)));
    }
    lines.retain(|line| !line.is_empty());
    json!({"username": "Opbeat", "text": lines.join("\n")})
}

/// Escapes the three special characters of Slack, and the line that ends a link. A zero-width space after each `@` keeps the
/// text of an error from calling everybody in a room.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '|' => escaped.push('¦'),
            '@' => escaped.push_str("@\u{200b}"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_can_neither_link_nor_call() {
        let expected = "&lt;!channel&gt; @\u{200b}all &amp; a¦b";
        assert_eq!(escaped("<!channel> @all & a|b"), expected);
    }
}
