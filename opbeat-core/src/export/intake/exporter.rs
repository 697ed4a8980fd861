//! The exporter to an Opbeat server.

use std::fmt;
use std::time::Duration;

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Uri};
use serde::Serialize;

use super::chunks;
use super::encode::{self, AgentIdentity};
use super::endpoint::Endpoint;
use super::response::Answer;
use crate::config::{Config, ConfigError};
use crate::export::host::system_hostname;
use crate::export::http::{Delivery, Transport};
use crate::pipeline::{Batch, Contact, ExportError, Exporter};
use crate::record::Drops;

/// The longest time of an exchange, from the connection to the end of the response body.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The same for a check, whose result is not needed for deliveries.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// An exporter to an Opbeat server: the one of this project, or another one with the original protocol.
///
/// Each request has an [`Idempotency-Key`][key], so that a repeated delivery is counted once.
///
/// [key]: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
pub struct IntakeExporter {
    endpoint: Endpoint,
    transport: Transport,
    authorization: HeaderValue,
    identity: AgentIdentity,
}

impl IntakeExporter {
    /// Makes an exporter. It connects at the first delivery.
    ///
    /// # Errors
    ///
    /// Returns an error if a required setting is missing, the server's URL is invalid, or TLS is needed but not
    /// available.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::new(config)?;
        let transport = Transport::new(&endpoint.peer)?;
        let authorization = authorization(config)?;
        let hostname = config.hostname.clone().unwrap_or_else(system_hostname);
        let identity = AgentIdentity { hostname, release: config.release.clone() };
        Ok(Self { endpoint, transport, authorization, identity })
    }

    /// Checks whether a delivery would work, for a diagnosis.
    pub(crate) fn contact(&mut self) -> Contact {
        let found = self.probe().map(Option::unwrap_or_default);
        let mut contact = found.unwrap_or_else(Contact::failed);
        contact.is_tls = Some(self.endpoint.peer.is_https);
        contact
    }

    fn deliver_transactions(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        while let Some(chunk) = chunks::next(batch, &self.identity) {
            match self.deliver(|endpoint| &endpoint.transactions, &chunk.key, &chunk.body)? {
                Delivery::Accepted => chunk.remove_from(batch),
                Delivery::Rejected(reason) => chunk.reject(batch, &reason),
            }
        }
        Ok(())
    }

    fn deliver_errors(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        while let Some(record) = batch.errors.first() {
            let body = self.identity.error(record);
            let (key, errors) = (record.id.to_string(), record.occurrences);
            if let Delivery::Rejected(reason) = self.deliver(|endpoint| &endpoint.errors, &key, &body)? {
                batch.reject(Drops { errors, rejected: 1, ..Drops::default() }, reason);
            }
            batch.errors.remove(0);
        }
        Ok(())
    }

    fn deliver(
        &mut self,
        uri: fn(&Endpoint) -> &Uri,
        key: &str,
        body: &impl Serialize,
    ) -> Result<Delivery, ExportError> {
        let body = match encode::zlib(body) {
            Ok(body) => body,
            Err(reason) => return Ok(Delivery::Rejected(format!("a body was not sent, because {reason}"))),
        };
        let request = Request::post(uri(&self.endpoint))
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("X-Opbeat-Platform", "platform=rust")
            .header("Idempotency-Key", key);
        let response = self.transport.send(request, body, TIMEOUT);
        Answer(response.map_err(|error| error.explain(&self.endpoint.peer))?).outcome(&self.endpoint)
    }
}

impl Exporter for IntakeExporter {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        self.deliver_transactions(batch)?;
        self.deliver_errors(batch)
    }

    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        // Deliveries wait for the check, so its timeout is short.
        let request = Request::get(&self.endpoint.app).header(AUTHORIZATION, &self.authorization);
        let response = self.transport.send(request, Vec::new(), PROBE_TIMEOUT);
        Answer(response.map_err(|error| error.explain(&self.endpoint.peer))?).contact(&self.endpoint).map(Some)
    }
}

impl fmt::Debug for IntakeExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeExporter").field("server", &self.endpoint.peer.url).finish_non_exhaustive()
    }
}

fn authorization(config: &Config) -> Result<HeaderValue, ConfigError> {
    HeaderValue::try_from(format!("Bearer {}", config.secret_token)).map_err(|_| ConfigError::Invalid {
        name: "OPBEAT_SECRET_TOKEN",
        value: "[REDACTED]".to_owned(),
        expected: "a token as `opbeat app create` prints it, without spaces and line breaks",
    })
}
