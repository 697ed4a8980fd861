//! The server's responses, and their meaning for a delivery.

use hyper::StatusCode;

use super::endpoint::Endpoint;
use crate::export::http::{Delivery, Peer, Response, one_line};
use crate::pipeline::{Contact, ExportError, ExportErrorKind};

const KEPT: &str = "Data is kept in memory, up to a limit, and sent later";

/// A response of an Opbeat server.
#[derive(Debug)]
pub(super) struct Answer(pub(super) Response);

impl Answer {
    /// Returns the result of a delivery.
    ///
    /// # Errors
    ///
    /// Returns an error if another attempt may succeed.
    pub(super) fn outcome(&self, endpoint: &Endpoint) -> Result<Delivery, ExportError> {
        let message = || format!("the Opbeat server at {} {}", endpoint.peer.url, self.description());
        let (kind, message) = match self.0.status {
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
                    endpoint.peer.url,
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
        error.retry_after = self.0.retry_after;
        Err(error)
    }

    /// Returns the result of a check whether the server accepts the token.
    ///
    /// # Errors
    ///
    /// Returns an error if a delivery would fail.
    pub(super) fn contact(&self, endpoint: &Endpoint) -> Result<Contact, ExportError> {
        let is_other = matches!(self.0.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        let is_opbeat = !is_other && names_opbeat(&self.0.text());
        if !is_other && let Delivery::Rejected(reason) = self.outcome(endpoint)? {
            return Err(ExportError::new(reason).kind(ExportErrorKind::ServerError));
        }
        let tls = if endpoint.peer.is_https { "over TLS" } else { "without TLS" };
        let mut contact = Contact::new(if is_opbeat {
            format!("delivers to the Opbeat server at {} {tls}; the token is accepted", endpoint.peer.url)
        } else {
            format!(
                "delivers to {} {tls}, but the response does not state that it comes from an Opbeat server. Old versions \
                 do not state it. If it is another program, set OPBEAT_SERVER_URL to the address of `opbeat serve`",
                endpoint.peer.url
            )
        });
        contact.is_reached = Some(true);
        contact.is_tls = Some(endpoint.peer.is_https);
        contact.is_token_accepted = is_opbeat.then_some(true);
        Ok(contact)
    }

    fn description(&self) -> String {
        self.0.description(&self.reason())
    }

    /// Returns the error message in the body, or a text body itself.
    fn reason(&self) -> String {
        let body = self.0.text();
        let json: Option<serde_json::Value> = serde_json::from_str(&body).ok();
        let message = json.as_ref().and_then(|json| json.get("error_message")?.as_str());
        one_line(message.unwrap_or(&body))
    }

    fn redirect_description(&self, endpoint: &Endpoint) -> String {
        let Peer { url: server, .. } = &endpoint.peer;
        let Some(location) = &self.0.location else {
            return format!("the program at {server} responded with {}, without a new address", self.0.status);
        };
        let base = location.split_once("/api/v1/").map_or(location.as_str(), |(base, _)| base);
        format!(
            "the Opbeat server at {server} has moved: it responded with {}. Set OPBEAT_SERVER_URL to {base}",
            self.0.status
        )
    }
}

/// Returns whether a response body states that it comes from an Opbeat server.
fn names_opbeat(body: &str) -> bool {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let server = json.as_ref().and_then(|json| json.get("server")?.as_str());
    server.is_some_and(|server| server.starts_with("opbeat"))
}
