//! The exporter to an Opbeat server.

use std::fmt;

use hyper::{StatusCode, Uri};
use serde::Serialize;

use super::encode::{self, Sender};
use super::endpoint::Endpoint;
use super::transport::{Answer, Transport};
use crate::config::{Config, ConfigError};
use crate::notice;
use crate::pipeline::{Batch, ExportError, Exporter};
use crate::record::Drops;

/// Delivers to an Opbeat server, this project's or one that speaks the original protocol.
///
/// Each body carries an [`Idempotency-Key`][key], so that a repeated delivery is counted once.
///
/// [key]: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
pub struct IntakeExporter {
    endpoint: Endpoint,
    transport: Transport,
    sender: Sender,
}

impl IntakeExporter {
    /// Makes an exporter. It connects when there is something to deliver.
    ///
    /// # Errors
    ///
    /// Returns an error if the configuration cannot work: no token, a URL that is none, no TLS.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::new(config)?;
        let transport = Transport::new(config, &endpoint)?;
        let sender = Sender {
            hostname: config.hostname.clone().unwrap_or_else(system_hostname),
            release: config.release.clone(),
        };
        Ok(Self { endpoint, transport, sender })
    }

    fn deliver_transactions(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        if batch.durations.is_empty() && batch.samples.is_empty() && batch.drops.is_empty() {
            return Ok(());
        }
        let body = self.sender.transactions(batch);
        let settled = self.deliver(&self.endpoint.transactions, &format!("{:032x}", batch.id), &body);
        self.note(settled, "the transactions of this interval")?;
        batch.durations.clear();
        batch.breakdown.clear();
        batch.samples.clear();
        batch.drops = Drops::default();
        Ok(())
    }

    fn deliver_errors(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        while let Some(record) = batch.errors.first() {
            let body = self.sender.error(record);
            let settled = self.deliver(&self.endpoint.errors, &record.id.to_string(), &body);
            self.note(settled, "an error report")?;
            batch.errors.remove(0);
        }
        Ok(())
    }

    fn deliver(&self, uri: &Uri, key: &str, body: &impl Serialize) -> Result<Settled, ExportError> {
        let body = match encode::zlib(body) {
            Ok(body) => body,
            Err(error) => return Ok(Settled::Refused(format!("it cannot be written as JSON: {error}"))),
        };
        let answer = self.transport.post(uri, key, body).map_err(|reason| self.unreachable(&reason))?;
        self.settle(answer)
    }

    /// Tells what another attempt could mend from what it could not.
    fn settle(&self, answer: Answer) -> Result<Settled, ExportError> {
        let Answer { status, retry_after, body } = answer;
        let says = || format!("the Opbeat server at {} answered {status}: {}", self.endpoint.server, reason(&body));
        match status {
            status if status.is_success() => Ok(Settled::Delivered),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(ExportError::new(format!(
                "{}; check OPBEAT_SECRET_TOKEN, OPBEAT_ORGANIZATION_ID and OPBEAT_APP_ID, \
                 or make new ones with `opbeat app create`. Data is kept for a while",
                says()
            ))),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(again(says(), retry_after)),
            status if status.is_server_error() => Err(again(says(), retry_after)),
            _ => Ok(Settled::Refused(says())),
        }
    }

    fn unreachable(&self, reason: &str) -> ExportError {
        ExportError::new(format!(
            "the Opbeat server at {} cannot be reached: {reason}. Start it with `opbeat serve`, or set \
             OPBEAT_SERVER_URL to where it runs; data is kept for a while, and the application goes on as it was",
            self.endpoint.server
        ))
    }

    fn note(&self, settled: Result<Settled, ExportError>, what: &str) -> Result<(), ExportError> {
        if let Settled::Refused(reason) = settled? {
            notice::error(format_args!("{what} is lost: {reason}"));
        }
        Ok(())
    }

    /// Says what an answer to the question means whether the token is accepted.
    fn found(&self, answer: Answer) -> Result<String, ExportError> {
        let server = format!("the Opbeat server at {}", self.endpoint.server);
        let tls = if self.endpoint.is_https { "over TLS" } else { "without TLS" };
        match answer.status {
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(format!(
                "delivers to {server} {tls}; it is an older one, and does not tell whether it accepts the token"
            )),
            _ => match self.settle(answer)? {
                Settled::Delivered => Ok(format!("delivers to {server} {tls}; the token is accepted")),
                Settled::Refused(reason) => Err(ExportError::new(reason)),
            },
        }
    }
}

impl Exporter for IntakeExporter {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        self.deliver_transactions(batch)?;
        self.deliver_errors(batch)
    }

    fn probe(&mut self) -> Result<Option<String>, ExportError> {
        let answer = self.transport.get(&self.endpoint.app).map_err(|reason| self.unreachable(&reason))?;
        self.found(answer).map(Some)
    }
}

impl fmt::Debug for IntakeExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeExporter").field("server", &self.endpoint.server).finish_non_exhaustive()
    }
}

/// What will not be sent again.
enum Settled {
    Delivered,
    Refused(String),
}

fn again(message: String, retry_after: Option<std::time::Duration>) -> ExportError {
    let mut error = ExportError::new(message + "; it is tried again");
    error.retry_after = retry_after;
    error
}

/// Returns what an answer's body says, in the server's own words if it has the service's form.
fn reason(body: &str) -> String {
    const LONGEST: usize = 300;
    let json: Option<serde_json::Value> = serde_json::from_str(body).ok();
    let message = json.as_ref().and_then(|json| json.get("error_message")?.as_str());
    message.unwrap_or(body).trim().chars().take(LONGEST).collect()
}

/// Asks the system for the machine's name, by the ways that need no foreign code.
fn system_hostname() -> String {
    let from_env = || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    from_env()
        .or_else(from_file)
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
