//! What an answer means.

use std::time::Duration;

use hyper::StatusCode;

use super::endpoint::Endpoint;
use crate::pipeline::{Contact, ExportError, ExportErrorKind};

/// What the server said.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) location: Option<String>,
    pub(super) body: String,
}

/// What will not be sent again.
pub(super) enum Delivery {
    Delivered,
    Rejected(String),
}

const KEPT: &str = "Data is kept for a while";

impl Response {
    /// Tells what another attempt could mend from what it could not.
    pub(super) fn outcome(&self, endpoint: &Endpoint) -> Result<Delivery, ExportError> {
        let says = || format!("the Opbeat server at {} {}", endpoint.server, self.says());
        let (kind, message) = match self.status {
            status if status.is_success() => return Ok(Delivery::Delivered),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
                ExportErrorKind::Unauthorized,
                format!(
                    "{}. Check OPBEAT_SECRET_TOKEN, OPBEAT_ORGANIZATION_ID and OPBEAT_APP_ID, or make new ones with \
                     `opbeat app create`. {KEPT}",
                    says()
                ),
            ),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (
                ExportErrorKind::NotOpbeat,
                format!(
                    "what answers at {} takes no data: it {}. Set OPBEAT_SERVER_URL to where `opbeat serve` runs. {KEPT}",
                    endpoint.server,
                    self.says()
                ),
            ),
            status if status.is_redirection() => {
                (ExportErrorKind::Moved, format!("{}. {KEPT}", self.says_where(endpoint)))
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                (ExportErrorKind::ServerError, format!("{}. {KEPT}", says()))
            }
            status if status.is_server_error() => (ExportErrorKind::ServerError, format!("{}. {KEPT}", says())),
            _ => return Ok(Delivery::Rejected(says())),
        };
        let mut error = ExportError::new(message).kind(kind);
        error.retry_after = self.retry_after;
        Err(error)
    }

    /// Says what the answer to the question whether the token is accepted tells.
    pub(super) fn contact(&self, endpoint: &Endpoint) -> Result<Contact, ExportError> {
        let is_stranger = matches!(self.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
        let is_ours = !is_stranger && is_opbeat(&self.body);
        if !is_stranger && let Delivery::Rejected(reason) = self.outcome(endpoint)? {
            return Err(ExportError::new(reason).kind(ExportErrorKind::ServerError));
        }
        let tls = if endpoint.is_https { "over TLS" } else { "without TLS" };
        let mut contact = Contact::new(if is_ours {
            format!("delivers to the Opbeat server at {} {tls}; the token is accepted", endpoint.server)
        } else {
            format!(
                "delivers to {} {tls}, and what answers there does not say that it is an Opbeat server. Older ones \
                 don't; if it is none, set OPBEAT_SERVER_URL to where `opbeat serve` runs",
                endpoint.server
            )
        });
        contact.is_reached = Some(true);
        contact.is_tls = Some(endpoint.is_https);
        contact.is_token_accepted = is_ours.then_some(true);
        Ok(contact)
    }

    fn says(&self) -> String {
        match self.reason() {
            reason if reason.is_empty() => format!("answered {}", self.status),
            reason => format!("answered {}: {reason}", self.status),
        }
    }

    /// Returns what the body says, in the server's own words if it has the service's form. Pages are for browsers.
    fn reason(&self) -> String {
        const LONGEST: usize = 300;
        let json: Option<serde_json::Value> = serde_json::from_str(&self.body).ok();
        let message = json.as_ref().and_then(|json| json.get("error_message")?.as_str()).unwrap_or(&self.body);
        if message.trim_start().starts_with('<') {
            return String::new();
        }
        let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().take(LONGEST).collect::<String>().trim_end_matches('.').to_owned()
    }

    fn says_where(&self, endpoint: &Endpoint) -> String {
        let Endpoint { server, .. } = endpoint;
        let Some(location) = &self.location else {
            return format!("what answers at {server} answered {}, and does not say where to go instead", self.status);
        };
        let base = location.split_once("/api/v1/").map_or(location.as_str(), |(base, _)| base);
        format!(
            "the Opbeat server at {server} is elsewhere: it answered {}. Set OPBEAT_SERVER_URL to {base}",
            self.status
        )
    }
}

/// Returns whether an answer comes from a server that says what it is.
fn is_opbeat(body: &str) -> bool {
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let server = json.as_ref().and_then(|json| json.get("server")?.as_str());
    server.is_some_and(|server| server.starts_with("opbeat"))
}
