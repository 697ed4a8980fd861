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

/// Delivers to an Opbeat server, this project's or one that speaks the original protocol.
///
/// Each body carries an [`Idempotency-Key`][key], so that a repeated delivery is counted once.
///
/// [key]: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
pub struct IntakeExporter {
    endpoint: Endpoint,
    transport: Transport,
    identity: AgentIdentity,
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
        let identity = AgentIdentity {
            hostname: config.hostname.clone().unwrap_or_else(system_hostname),
            release: config.release.clone(),
        };
        Ok(Self { endpoint, transport, identity })
    }

    /// Finds out whether a delivery would work, for a diagnosis.
    pub(crate) fn contact(&mut self) -> Contact {
        let found = self.probe().map(Option::unwrap_or_default);
        let mut contact = found.unwrap_or_else(Contact::failed);
        contact.is_tls = Some(self.endpoint.is_https);
        contact
    }

    fn deliver_transactions(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        while let Some(chunk) = chunks::next(batch, &self.identity) {
            match self.deliver(|endpoint| &endpoint.transactions, &chunk.key, &chunk.body)? {
                Delivery::Delivered => chunk.delivered(batch),
                Delivery::Rejected(reason) => chunk.rejected(batch, &reason),
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
            Err(reason) => return Ok(Delivery::Rejected(format!("a body was not sent: {reason}"))),
        };
        let answer = self.transport.post(uri(&self.endpoint), key, body);
        answer.map_err(|failure| failure.explain(&self.endpoint))?.outcome(&self.endpoint)
    }
}

impl Exporter for IntakeExporter {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        self.deliver_transactions(batch)?;
        self.deliver_errors(batch)
    }

    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        let answer = self.transport.get(&self.endpoint.app);
        answer.map_err(|failure| failure.explain(&self.endpoint))?.contact(&self.endpoint).map(Some)
    }
}

impl fmt::Debug for IntakeExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeExporter").field("server", &self.endpoint.server).finish_non_exhaustive()
    }
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
