//! Signed webhooks with Opbeat's own activity as JSON.

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::failure::Failure;
use super::outgoing::Outgoing;
use crate::random::hex;

/// Posts an activity. `id` is the same for each attempt, so that a receiver can drop repetitions.
pub(super) async fn send(
    outgoing: &Outgoing,
    (target, secret): (&str, &str),
    (id, activity): (&str, &Value),
    now: i64,
) -> Result<(), Failure> {
    let (body, timestamp) = (activity.to_string(), now.to_string());
    let signature = format!("v1={}", signature(secret, &timestamp, &body));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in
        [("x-opbeat-delivery", id), ("x-opbeat-timestamp", &timestamp), ("x-opbeat-signature", &signature)]
    {
        let value = HeaderValue::from_str(value).map_err(|_| Failure::lasting("the message has an invalid id"))?;
        headers.insert(name, value);
    }
    outgoing.post(target, headers, body).await
}

/// Returns the HMAC-SHA256 of the timestamp, a dot and the body, in hexadecimal.
fn signature(secret: &str, timestamp: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for part in [timestamp, ".", body] {
        mac.update(part.as_bytes());
    }
    hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_other_programs() {
        // printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        let expected = "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03";
        assert_eq!(signature("key", "1700000000", "{\"a\":1}"), expected);
    }
}
