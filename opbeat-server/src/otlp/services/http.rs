//! OTLP over HTTP: answers have the encoding of the request.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use prost::Message;
use serde_json::json;

use super::accept::{Form, Otlp};
use super::body::Coding;
use super::status::{http_status, retry_seconds, status};
use crate::intake::Rejection;
use crate::otlp::messages::{Encoding, ExportAnswer, Signal};
use crate::otlp::telemetry::Telemetry;

/// Accepts an export.
pub(super) async fn export<T: Telemetry>(State(otlp): State<Otlp>, headers: HeaderMap, body: Body) -> Response {
    let encoding = encoding(&headers);
    let form = encoding.clone().and_then(|encoding| {
        let coding = Coding::named(text(&headers, &CONTENT_ENCODING))?;
        Ok(Form { encoding, coding, is_framed: false })
    });
    let answer = otlp.accept::<T>(&headers, body, form).await;
    // An unknown encoding is answered in JSON, which a person can read.
    let encoding = encoding.unwrap_or(Encoding::Json);
    match answer {
        Ok(answer) => respond(encoding, StatusCode::OK, answered(encoding, &answer, T::SIGNAL)),
        Err(rejection) => rejected(encoding, &rejection),
    }
}

/// Rejects other methods.
pub(super) async fn method_not_allowed(method: Method, headers: HeaderMap) -> Response {
    let message = format!("{method} is not allowed here. Use POST, as the exporters of OpenTelemetry do.");
    let rejection = Rejection::new(StatusCode::METHOD_NOT_ALLOWED, message);
    rejected(encoding(&headers).unwrap_or(Encoding::Json), &rejection)
}

/// Returns the encoding that the content type names.
fn encoding(headers: &HeaderMap) -> Result<Encoding, Rejection> {
    let media_type = text(headers, &CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(Encoding::Protobuf),
        "application/json" => Ok(Encoding::Json),
        _ => Err(Rejection::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The content type is missing or unknown. Use `application/x-protobuf` or `application/json`.",
        )),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn answered(encoding: Encoding, answer: &ExportAnswer, signal: Signal) -> Vec<u8> {
    match (encoding, &answer.partial_success) {
        (Encoding::Protobuf, _) => answer.encode_to_vec(),
        (Encoding::Json, None) => b"{}".to_vec(),
        (Encoding::Json, Some(partial)) => {
            // Numbers of 64 bits are texts in the JSON of protobuf.
            let partial = json!({
                signal.rejected_key(): partial.rejected.to_string(),
                "errorMessage": partial.error_message,
            });
            json!({ "partialSuccess": partial }).to_string().into_bytes()
        }
    }
}

fn rejected(encoding: Encoding, rejection: &Rejection) -> Response {
    let status = status(rejection);
    let body = match encoding {
        Encoding::Protobuf => status.encode_to_vec(),
        Encoding::Json => json!(status).to_string().into_bytes(),
    };
    let mut response = respond(encoding, http_status(rejection), body);
    let mut add = |name: HeaderName, value: HeaderValue| response.headers_mut().insert(name, value);
    match (rejection.status, retry_seconds(rejection)) {
        (_, Some(seconds)) => add(RETRY_AFTER, seconds.into()),
        (StatusCode::METHOD_NOT_ALLOWED, _) => add(ALLOW, HeaderValue::from_static("POST")),
        (StatusCode::UNAUTHORIZED, _) => add(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
        _ => None,
    };
    response
}

fn respond(encoding: Encoding, status: StatusCode, body: Vec<u8>) -> Response {
    let media_type = match encoding {
        Encoding::Protobuf => "application/x-protobuf",
        Encoding::Json => "application/json",
    };
    (status, [(CONTENT_TYPE, media_type)], body).into_response()
}
