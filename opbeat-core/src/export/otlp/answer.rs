//! The meaning of a receiver's responses, as OTLP defines it.

use hyper::StatusCode;
use prost::Message;

use super::messages::{ExportAnswer, RpcStatus};
use super::settings::{Protocol, SignalSettings};
use crate::export::http::{Response, one_line};
use crate::pipeline::{ExportError, ExportErrorKind};

/// The result of a request that is not repeated.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    /// The receiver rejected a number of items: spans, points or log records.
    Partial(u64, String),
    /// The receiver accepted everything, and has a message for the developer.
    Warning(String),
    Rejected(String),
}

/// The largest number of rejected items that counts: beyond it, a wrong number could overflow the sums of drops.
const MAX_REJECTED: u64 = 1_000_000;

const KEPT: &str = "Data is kept in memory, up to a limit, and sent later";

/// Returns the result of a request.
///
/// OTLP allows another attempt after 429, 502, 503 and 504 only.
///
/// # Errors
///
/// Returns an error if another attempt may succeed.
pub(super) fn answer(response: &Response, settings: &SignalSettings) -> Result<Answer, ExportError> {
    if response.status.is_success() {
        return Ok(success(response, settings));
    }
    let (peer, names) = (&settings.peer, settings.names);
    let description = response.description(&reason(response, settings.protocol));
    let message = format!("the {} at {} {description}", peer.name, peer.url);
    match response.status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => {
            let mut error = ExportError::new(format!("{message}. {KEPT}")).kind(ExportErrorKind::ServerError);
            error.retry_after = response.retry_after;
            Err(error)
        }
        status if status.is_redirection() => {
            // The query of an address may contain a key.
            let to = response.location.as_deref().and_then(|to| to.split('?').next()).unwrap_or("its new address");
            let message = format!("{message}. Set {} to {to}. {KEPT}", peer.variable);
            Err(ExportError::new(message).kind(ExportErrorKind::Moved))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Ok(Answer::Rejected(format!("{message}. Check OTEL_EXPORTER_OTLP_HEADERS")))
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(Answer::Rejected(format!(
            "{message}, for {}. Check {}; if it takes no {}, set {} to `none`",
            settings.uri.path(),
            peer.variable,
            names.signal,
            names.exporter
        ))),
        _ => Ok(Answer::Rejected(message)),
    }
}

fn success(response: &Response, settings: &SignalSettings) -> Answer {
    let body = &response.body;
    let answer = match settings.protocol {
        // An answer that cannot be read still has the status of a success.
        Protocol::Protobuf => ExportAnswer::decode(body.clone()).unwrap_or_default(),
        Protocol::Json => ExportAnswer::from_json(body),
    };
    let Some(partial) = answer.partial_success else { return Answer::Accepted };
    let reason = one_line(&partial.error_message);
    let signal = settings.names.signal;
    let (name, url) = (settings.peer.name, &settings.peer.url);
    match u64::try_from(partial.rejected).unwrap_or(0).min(MAX_REJECTED) {
        0 if reason.is_empty() => Answer::Accepted,
        0 => Answer::Warning(format!("the {name} at {url} accepted the {signal}, and warns: {reason}")),
        rejected => Answer::Partial(
            rejected,
            format!("the {name} at {url} rejected {rejected} items of the {signal}: {reason}"),
        ),
    }
}

/// Returns the message of the error in a body.
fn reason(response: &Response, protocol: Protocol) -> String {
    let status = match protocol {
        Protocol::Protobuf => RpcStatus::decode(response.body.clone()).ok(),
        Protocol::Json => serde_json::from_slice(&response.body).ok(),
    };
    match status {
        Some(status) if !status.message.is_empty() => one_line(&status.message),
        // Proxies respond with text. Binary data is no message.
        _ => match std::str::from_utf8(&response.body) {
            Ok(text) if !text.contains(|c: char| c.is_control() && !c.is_whitespace()) => one_line(text),
            _ => String::new(),
        },
    }
}
