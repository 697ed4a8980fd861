//! The server's responses, and their meaning for a delivery.

use std::time::Duration;

use hyper::StatusCode;

use super::endpoint::Endpoint;
use crate::pipeline::{Contact, ExportError, ExportErrorKind};

/// A response of the server.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

/// The result of a delivery that is not repeated.
pub(super) enum Delivery {
    Accepted,
    Rejected(String),
}

const KEPT: &str = "Data is kept in memory, up to a limit, and sent later";

impl Response {
    /// Returns the result of a delivery.
    ///
    /// # Errors
    ///
    /// Returns an error if another attempt may succeed.
    pub(super) fn outcome(&self, endpoint: &Endpoint) -> Result<Delivery, ExportError> {
        let message = || format!("the Opbeat server at {} {}", endpoint.server, self.description());
        let (kind, message) = match self.status {
            status if status.is_success() => return Ok(Delivery::Accepted),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
                ExportErrorKind::Unauthorized,
                format!(
                    "{}. Check OPBEAT_SECRET_TOKEN, OPBEAT_ORGANIZATION_ID and OPBEAT_APP_ID, or make new ones with \
                     `opbeat app create`. {KEPT}",
                    message()
                ),
            ),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (
                ExportErrorKind::NotOpbeat,
                format!(
                    "the program at {} is not an Opbeat server: it {}. Set OPBEAT_SERVER_URL to the address of \
                     `opbeat serve`. {KEPT}",
                    endpoint.server,
                    self.description()
                ),
            ),
            status if status.is_redirection() => {
                (ExportErrorKind::Moved, format!("{}. {KEPT}", self.redirect_description(endpoint)))
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                (ExportErrorKind::ServerError, format!("{}. {KEPT}", message()))
            }
            status if status.is_server_error() => (ExportErrorKind::ServerError, format!("{}. {KEPT}", message())),
            _ => return Ok(Delivery::Rejected(message())),
        };
        let mut error = ExportError::new(message).kind(kind);
        error.retry_after = self.retry_after;
        Err(error)
    }

    /// Returns the result of a check whether the server accepts the token.
    ///
    /// # Errors
    ///
    /// Returns an error if a delivery would fail.
    pub(super) fn contact(&self, endpoint: &Endpoint) -> Result<Contact, ExportError> {
        let is_other = matches!(self.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        let is_opbeat = !is_other && names_opbeat(&self.body);
        if !is_other && let Delivery::Rejected(reason) = self.outcome(endpoint)? {
            return Err(ExportError::new(reason).kind(ExportErrorKind::ServerError));
        }
        let tls = if endpoint.is_https { "over TLS" } else { "without TLS" };
        let mut contact = Contact::new(if is_opbeat {
            format!("delivers to the Opbeat server at {} {tls}; the token is accepted", endpoint.server)
        } else {
            format!(
                "delivers to {} {tls}, but the response does not state that it comes from an Opbeat server. Old versions \
                 do not state it. If it is another program, set OPBEAT_SERVER_URL to the address of `opbeat serve`",
                endpoint.server
            )
        });
        contact.is_reached = Some(true);
        contact.is_tls = Some(endpoint.is_https);
        contact.is_token_accepted = is_opbeat.then_some(true);
        Ok(contact)
    }

    fn description(&self) -> String {
        match self.reason() {
            reason if reason.is_empty() => format!("responded with {}", self.status),
            reason => format!("responded with {}: {reason}", self.status),
        }
    }

    /// Returns the error message in the body, or a text body itself. An HTML page is ignored, because it is for
    /// browsers.
    fn reason(&self) -> String {
        const LONGEST: usize = 300;
        let json: Option<serde_json::Value> = serde_json::from_str(&self.body).ok();
        let message = json.as_ref().and_then(|json| json.get("error_message")?.as_str()).unwrap_or(&self.body);
        if message.trim_start().starts_with('<') {
            return String::new();
        }
        let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
        line.chars().take(LONGEST).collect::<String>().trim_end_matches('.').to_owned()
    }

    fn redirect_description(&self, endpoint: &Endpoint) -> String {
        let Endpoint { server, .. } = endpoint;
        let Some(location) = &self.location else {
            return format!("the program at {server} responded with {}, without a new address", self.status);
        };
        let base = location.split_once("/api/v1/").map_or(location.as_str(), |(base, _)| base);
        format!(
            "the Opbeat server at {server} has moved: it responded with {}. Set OPBEAT_SERVER_URL to {base}",
            self.status
        )
    }
}

/// Returns whether a response body states that it comes from an Opbeat server.
fn names_opbeat(body: &str) -> bool {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let server = json.as_ref().and_then(|json| json.get("server")?.as_str());
    server.is_some_and(|server| server.starts_with("opbeat"))
}
