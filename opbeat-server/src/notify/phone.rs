//! Messages for phones, by the protocols of ntfy and Pushover.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use serde_json::json;

use super::failure::Failure;
use super::outgoing::Outgoing;
use crate::notification::Message;

/// The longest text of a phone's message, in characters (Pushover's limit, which is the smaller one).
const MAX_TEXT: usize = 1_000;

/// Publishes a message in a topic of ntfy. `target` is the URL of the topic, and `token` an access token or an empty string.
pub(super) async fn ntfy(
    outgoing: &Outgoing,
    (target, token): (&str, &str),
    message: &Message,
    base: &str,
) -> Result<(), Failure> {
    // A message in JSON has the topic in its body, and is posted to the server: headers would have to be encoded.
    let (server, topic) = topic(target).ok_or_else(|| Failure::lasting("the URL has no topic at its end"))?;
    let mut headers = json_headers();
    if !token.is_empty() {
        let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
        headers.insert(AUTHORIZATION, bearer.map_err(|_| Failure::lasting("the token is invalid"))?);
    }
    let body = json!({
        "topic": topic,
        "title": message.headline(),
        "message": text(message),
        "click": format!("{base}{}", message.path()),
        "tags": ["opbeat"],
    });
    outgoing.post(&server, headers, body.to_string()).await
}

/// Sends a message by Pushover. `keys` are the token of the application and the key of the user or the group.
pub(super) async fn pushover(
    outgoing: &Outgoing,
    (target, keys): (&str, &str),
    message: &Message,
    base: &str,
) -> Result<(), Failure> {
    let (token, user) = keys.split_once(' ').ok_or_else(|| Failure::lasting("the channel has no user key"))?;
    let body = json!({
        "token": token,
        "user": user,
        "title": message.headline(),
        "message": text(message),
        "url": format!("{base}{}", message.path()),
        "url_title": message.title(),
    });
    outgoing.post(target, json_headers(), body.to_string()).await
}

/// Divides the URL of a topic into the URL of its server and the topic.
pub(super) fn topic(url: &str) -> Option<(String, &str)> {
    let (server, topic) = url.trim_end_matches('/').rsplit_once('/')?;
    let is_topic = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let is_server = !server.ends_with('/');
    (is_server && !topic.is_empty() && topic.chars().all(is_topic)).then(|| (format!("{server}/"), topic))
}

fn text(message: &Message) -> String {
    crate::text::shortened(&message.summary(), MAX_TEXT)
}

fn json_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_last_part_of_a_url() {
        assert_eq!(topic("https://ntfy.sh/shop-errors"), Some(("https://ntfy.sh/".to_owned(), "shop-errors")));
        assert_eq!(topic("https://a.example/ntfy/shop/"), Some(("https://a.example/ntfy/".to_owned(), "shop")));
        for url in ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh/a?b=c"] {
            assert_eq!(topic(url), None, "{url}");
        }
    }
}
