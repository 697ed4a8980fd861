//! Connections to RabbitMQ, with and without TLS.

use std::io;
use std::sync::Arc;

use lapin::runtime::default_runtime;
use lapin::tcp::{AMQPUriTcpExt, RustlsConnector};
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties};

use super::address::AmqpAddress;
use crate::trust::{TrustError, Verification, client_config};

impl AmqpAddress {
    /// Reads the certificates of authorities, and returns what makes connections of TLS.
    ///
    /// # Errors
    ///
    /// Returns an error if there are none.
    pub(super) fn tls(&self) -> Result<RustlsConnector, TrustError> {
        let config = client_config(Verification::Full, self.authorities.as_deref())?;
        Ok(RustlsConnector::from(Arc::new(config)))
    }

    /// Opens a connection. The authorities are read each time, so that new ones need no restart.
    pub(super) async fn connect(&self, properties: ConnectionProperties) -> lapin::Result<Connection> {
        if !self.is_encrypted() {
            return Connection::connect_uri(self.uri.clone(), properties).await;
        }
        let connector = self.tls().map_err(io::Error::other)?;
        // The library trusts the authorities of the system besides those of a file, so it opens the plain connection only.
        let plain = AMQPUri { scheme: AMQPScheme::AMQP, ..self.uri.clone() };
        let connect = async move |uri: AMQPUri, runtime| {
            let stream = uri.connect_async(&runtime).await?;
            Ok(stream.into_rustls(&connector, &uri.authority.host).await?)
        };
        Connection::connector(plain, default_runtime()?, connect, properties).await
    }
}
