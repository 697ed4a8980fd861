//! OTLP over gRPC: each method takes one message and returns one.
//!
//! The frame of such a call is five bytes and a trailer. It is read here, and not by a framework, since the message must
//! wait for room and be weighed before it is decoded.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use prost::Message;

use super::accept::{Form, Otlp};
use super::body::Coding;
use super::status::status;
use crate::intake::Rejection;
use crate::otlp::messages::{Encoding, ExportAnswer};
use crate::otlp::telemetry::Telemetry;

/// The bytes of `grpc-message` that are encoded, besides those that are not ASCII.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%');

/// Accepts an export.
pub(super) async fn export<T: Telemetry>(State(otlp): State<Otlp>, headers: HeaderMap, body: Body) -> Response {
    let form = check_content_type(&headers).and_then(|()| {
        let name = headers.get("grpc-encoding").and_then(|name| name.to_str().ok()).unwrap_or_default();
        let coding = Coding::named(name)?;
        Ok(Form { encoding: Encoding::Protobuf, coding, is_framed: true })
    });
    match otlp.accept::<T>(&headers, body, form).await {
        Ok(answer) => answered(&answer),
        Err(rejection) => rejected(&rejection),
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match content_type.strip_prefix("application/grpc") {
        Some("" | "+proto") => Ok(()),
        _ => Err(Rejection::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The content type is not `application/grpc`. Send HTTP requests to /v1/traces, /v1/logs or /v1/metrics.",
        )),
    }
}

fn answered(answer: &ExportAnswer) -> Response {
    let message = answer.encode_to_vec();
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    let body = Full::new(Bytes::from(framed)).with_trailers(std::future::ready(Some(Ok(trailers))));
    ([(CONTENT_TYPE, "application/grpc")], Body::new(body)).into_response()
}

/// A call that fails has its status in the headers, and no body.
fn rejected(rejection: &Rejection) -> Response {
    let status = status(rejection);
    let mut response = [(CONTENT_TYPE, "application/grpc")].into_response();
    let message = utf8_percent_encode(&status.message, ENCODED).to_string();
    let headers = response.headers_mut();
    headers.insert("grpc-status", status.code.into());
    if let Ok(message) = HeaderValue::try_from(message) {
        headers.insert("grpc-message", message);
    }
    if !status.details.is_empty()
        && let Ok(details) = HeaderValue::try_from(base64(&status.encode_to_vec()))
    {
        headers.insert("grpc-status-details-bin", details);
    }
    response
}

/// Returns bytes in base64 without padding, as binary headers of gRPC are sent.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().chain([&0, &0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for index in 0..=chunk.len() {
            text.push(char::from(DIGITS[bits >> (18 - 6 * index) & 63]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_headers_have_no_padding() {
        let cases = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
