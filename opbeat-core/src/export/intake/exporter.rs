//! The exporter to an Opbeat server.

use std::fmt;

use hyper::Uri;
use serde::Serialize;

use super::chunks;
use super::encode::{self, AgentIdentity};
use super::endpoint::Endpoint;
use super::response::Delivery;
use super::transport::Transport;
use crate::config::{Config, ConfigError};
use crate::pipeline::{Batch, Contact, ExportError, Exporter};
use crate::record::Drops;

/// An exporter to an Opbeat server: the one of this project, or another one with the original protocol.
///
/// Each request has an [`Idempotency-Key`][key], so that a repeated delivery is counted once.
///
/// [key]: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
pub struct IntakeExporter {
    endpoint: Endpoint,
    transport: Transport,
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
        let transport = Transport::new(config, &endpoint)?;
        let hostname = config.hostname.clone().unwrap_or_else(system_hostname);
        let identity = AgentIdentity { hostname, release: config.release.clone() };
        Ok(Self { endpoint, transport, identity })
    }

    /// Checks whether a delivery would work, for a diagnosis.
    pub(crate) fn contact(&mut self) -> Contact {
        let found = self.probe().map(Option::unwrap_or_default);
        let mut contact = found.unwrap_or_else(Contact::failed);
        contact.is_tls = Some(self.endpoint.is_https);
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
        let response = self.transport.post(uri(&self.endpoint), key, body);
        response.map_err(|error| error.explain(&self.endpoint))?.outcome(&self.endpoint)
    }
}

impl Exporter for IntakeExporter {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        self.deliver_transactions(batch)?;
        self.deliver_errors(batch)
    }

    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        let response = self.transport.get(&self.endpoint.app);
        response.map_err(|error| error.explain(&self.endpoint))?.contact(&self.endpoint).map(Some)
    }
}

impl fmt::Debug for IntakeExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeExporter").field("server", &self.endpoint.server).finish_non_exhaustive()
    }
}

/// Returns the name that the system gives the machine, or `unknown` if that is empty.
fn system_hostname() -> String {
    let name = gethostname::gethostname().to_string_lossy().trim().to_owned();
    if name.is_empty() { "unknown".to_owned() } else { name }
}
